package wharf_test

// Cancelling, back-pressure, and the end of the plugin.

import (
	"testing"
	"testing/synctest"

	"google.golang.org/grpc/codes"

	"wharf.invalid/wharf/wharftest"
	"wharf.invalid/wharf/wire"
)

func TestACancelEndsTheNextWordToTheHost(t *testing.T) {
	t.Parallel()
	importer := newSample()
	running := start(t, importer, wharftest.NewFakeHost()).Call("importer").Settings(task{"endless"}).StartSync()
	within(t, importer.begun, "the call begins")
	running.Cancel()
	within(t, importer.ended, "the method ends")
}

func TestAHostThatDoesNotReadHoldsThePluginBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		importer := newSample()
		running := start(t, importer, wharftest.NewFakeHost()).Call("importer").Settings(task{"endless"}).StartSync()
		<-importer.begun
		// Returns when every goroutine waits for another one: a plugin that nothing holds back never does.
		synctest.Wait()
		held := importer.told.Load()
		event, err := running.Next()
		if err != nil || held == 0 {
			t.Fatalf("after %d units: %v", held, err)
		}
		equal(t, len(event.GetUnits().GetUnits()), 1_000)
		for range 10 {
			if _, err := running.Next(); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if now := importer.told.Load(); now <= held {
			t.Errorf("the plugin does not go on: %d, %d units", held, now)
		}
		running.Cancel()
		<-importer.ended
	})
}

func TestAMethodThatIgnoresTheCancelIsLeftBehind(t *testing.T) {
	t.Parallel()
	importer := newSample()
	harness := start(t, importer, wharftest.NewFakeHost())
	running := harness.Call("importer").Settings(task{"stuck"}).StartSync()
	within(t, importer.begun, "the call begins")
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		harness.Stop()
	}()
	equal(t, running.Finish().Failure().Class, wire.ErrorClass_ERROR_CLASS_CANCELLED)
	within(t, stopped, "the plugin stops")
	close(importer.release)
	within(t, importer.ended, "the method ends")
}

func TestAPluginThatStopsCancelsItsCallsAndTakesNoNewOnes(t *testing.T) {
	t.Parallel()
	importer := newSample()
	harness := start(t, importer, wharftest.NewFakeHost())
	running := harness.Call("importer").Settings(task{"endless"}).StartSync()
	within(t, importer.begun, "the call begins")
	go harness.Stop()
	equal(t, running.Finish().Failure().Class, wire.ErrorClass_ERROR_CLASS_CANCELLED)
	harness.Stop()
	equal(t, harness.Call("importer").Settings(task{"many"}).Sync().Status.Code(), codes.Unavailable)
	_, err := harness.Call("importer").Check()
	if err == nil {
		t.Error("a plugin that stopped answers")
	}
}

func TestWordsAfterTheEndAreNotHeard(t *testing.T) {
	t.Parallel()
	importer := newSample()
	run := start(t, importer, wharftest.NewFakeHost()).Call("importer").Settings(task{"leak"}).Sync()
	run.Done()
	close(importer.release)
	if err := <-importer.leaked; err == nil {
		t.Error("a word after the end of its call was taken")
	}
}
