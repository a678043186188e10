package wharf_test

// What a call does to the host: units that are saved, other jobs, claims, contributions, events.

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"wharf.invalid/wharf"
	"wharf.invalid/wharf/wharftest"
	"wharf.invalid/wharf/wire"
)

// asks is an importer whose sync is a function of the test.
type asks struct {
	wharf.ImporterBase
	sync func(*wharf.Context) error
}

func (a asks) Sync(ctx *wharf.Context, _ *wharf.SyncRequest) (*wharf.Done, error) {
	return wharf.Unchanged(), a.sync(ctx)
}

func asking(t *testing.T, host *wharftest.FakeHost, sync func(*wharf.Context) error) *wharftest.Run {
	t.Helper()
	run := start(t, asks{sync: sync}, host).Call("importer").Sync()
	run.Done()
	return run
}

func TestSavedUnitsSayWhatWasNew(t *testing.T) {
	t.Parallel()
	asking(t, wharftest.NewFakeHost().Unit(thing("a")), func(ctx *wharf.Context) error {
		saved, err := ctx.SaveUnits(thing("a"), thing("b"))
		if err != nil {
			return err
		}
		equal(t, saved[0], wharf.SavedUnit{ID: 1})
		equal(t, saved[1], wharf.SavedUnit{ID: 2, Created: true})
		var many []*wharf.Unit
		for n := range 1_500 {
			many = append(many, thing(strconv.Itoa(n)).Attributes(task{strings.Repeat("x", 400)}))
		}
		saved, err = ctx.SaveUnits(many...)
		equal(t, len(saved), 1_500)
		equal(t, saved[1_499].ID, 1_502)
		found, asked := ctx.GetUnits(wharf.RefID(2), wharf.RefKey("thing", name{"7"}))
		equal(t, found[0].KeyText()+found[1].KeyText(), `{"name":"b"}{"name":"7"}`)
		items := 0
		for item, err := range ctx.WatchItems() {
			if err != nil {
				return err
			}
			equal(t, item.Outcome, wire.Outcome_OUTCOME_ADDED)
			items++
		}
		equal(t, items, 1_502)
		_, wrong := ctx.SaveUnits(wharf.NewUnit("thing").Key([]int{1}))
		var fault *wharf.Error
		equal(t, errors.As(wrong, &fault) && fault.Code() == "internal.json", true)
		return errors.Join(err, asked)
	})
}

func TestJobsClaimsContributionsAndEventsReachTheHost(t *testing.T) {
	t.Parallel()
	host := wharftest.NewFakeHost()
	asking(t, host, func(ctx *wharf.Context) error {
		number, err := ctx.SpawnJob(wharf.NewJob("publish").Arguments(task{"x"}).Weight(5).Queue("q").Priority(-1).
			DuplicateKey("d").SpaceBytes(9))
		if err != nil {
			return err
		}
		end, err := ctx.WaitJob(number)
		if err != nil {
			return err
		}
		var outputs task
		equal(t, end.State, "succeeded")
		equal(t, end.Err == nil && end.Outputs(&outputs) == nil, true)
		_, missing := ctx.WaitJob(99)
		var known *wharf.Error
		equal(t, errors.As(missing, &known) && known.Code() == "not_found", true)
		grant, err := ctx.Acquire(wharf.Claim{Kind: "lock", Name: "index", Wait: 5 * time.Millisecond})
		motd := wharf.Contribution{Kind: "file", Name: "motd", Content: []byte("hi"), Order: 3}
		return errors.Join(err, ctx.Release(grant), ctx.Contribute("other.builder", motd), ctx.Emit("synced", task{"x"}),
			ctx.Emit("bare", nil))
	})
	var calls []string
	for _, doing := range host.Doings() {
		calls = append(calls, doing.Call)
	}
	equal(t, strings.Join(calls, " "), "SpawnJob Acquire Release Contribute Emit Emit")
	doings := host.Doings()
	job := doings[0].Request.(*wire.SpawnJobRequest).Job
	equal(t, job.Arguments+job.Queue+job.DuplicateKey, `{"task":"x"}qd`)
	equal(t, doings[1].Request.(*wire.AcquireRequest).WaitMs, 5)
	equal(t, doings[2].Request.(*wire.ReleaseRequest).Grant, 2)
	equal(t, doings[3].Request.(*wire.ContributeRequest).Contribution.Name, "motd")
	equal(t, doings[4].Request.(*wire.EmitRequest).Payload, `{"task":"x"}`)
	equal(t, doings[5].Request.(*wire.EmitRequest).Payload, "{}")
}

func TestUnitsAreKeptByTheirKeys(t *testing.T) {
	t.Parallel()
	run := asking(t, wharftest.NewFakeHost(), func(ctx *wharf.Context) error {
		return ctx.Keep(wharf.KeepKeys("thing", name{"a"}, name{"b"}))
	})
	equal(t, strings.Join(run.Kept[0].Keys, " "), `{"name":"a"} {"name":"b"}`)
}
