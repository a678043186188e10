package wharf

// What is not to be seen from outside.

import (
	"os"
	"strings"
	"testing"
	"time"

	"wharf.invalid/wharf/wire"
)

func TestOnlyTheHandshakePassesWhilePluginStarts(t *testing.T) {
	t.Parallel()
	host, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	from, prints, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	line := &handshake{to: out, certificate: "CERT"}
	for _, printed := range []string{"a word\n", "1|2|unix|/other|grpc|\n", "no end 1|1|unix|/s|grpc||true\n", "late\n"} {
		if _, err := prints.WriteString(printed); err != nil {
			t.Fatal(err)
		}
	}
	_ = prints.Close()
	line.filter(from)
	passed := make([]byte, 1_000)
	n, err := host.Read(passed)
	if err != nil || string(passed[:n]) != "1|1|unix|/s|grpc|CERT|true\n" || line.printed() != nil {
		t.Errorf("%q %v %v", passed[:n], err, line.printed())
	}
}

func TestABatchIsDueBeforeItOutgrowsAMessageAndWhenItIsOld(t *testing.T) {
	t.Parallel()
	batches := newBatches()
	push := func(bytes int) *wire.Event {
		event, err := batches.units.push(&wire.Unit{Key: strings.Repeat("x", bytes)})
		if err != nil {
			t.Fatal(err)
		}
		return event
	}
	if push(maxBatch-100) != nil || len(push(200).GetUnits().GetUnits()) != 1 {
		t.Error("a batch is sent without the entry that it has no room for")
	}
	batches.units.since = time.Now().Add(-patience)
	if len(push(1).GetUnits().GetUnits()) != 2 || batches.units.take() != nil {
		t.Error("an old batch is sent with the next entry")
	}
}

func TestProgressIsThinnedButTheLastOneArrives(t *testing.T) {
	t.Parallel()
	batches := newBatches()
	at := func(done uint64) *wire.Event {
		return &wire.Event{Event: &wire.Event_Progress{Progress: &wire.Progress{Done: done}}}
	}
	first, second, third := batches.thin(at(1)), batches.thin(at(2)), batches.thin(at(3))
	left := batches.close()
	if first == nil || second != nil || third != nil || len(left) != 1 || left[0].GetProgress().Done != 3 {
		t.Errorf("%v %v %v %v", first, second, third, left)
	}
}

func TestAnErrorSurvivesTheWire(t *testing.T) {
	t.Parallel()
	err := Operation("source.unreachable", "no route").ForItem("a/b").AtField("/url").RetryAfter(3 * time.Second).
		WithDetails("{}")
	if read := errorFromWire(err.toWire()); *read != *err {
		t.Errorf("%+v", read)
	}
	if read := errorFromWire(nil); read.class != ClassFault || read.scope != ScopeRun {
		t.Errorf("%+v", read)
	}
}
