package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"wharf.invalid/wharf"
)

// How often a call that holds sends progress.
const beat = 50 * time.Millisecond

// settings say where to raise what.
type settings struct {
	At     string `json:"at"`
	Raise  string `json:"raise"`
	HoldMs int64  `json:"hold_ms"`
}

// end is what each call does before it ends well.
func end(ctx *wharf.Context, call string, attachment *wharf.Attachment) error {
	var settings settings
	if err := attachment.Settings(&settings); err != nil {
		return err
	}
	if err := hold(ctx, time.Duration(settings.HoldMs)*time.Millisecond); err != nil {
		return err
	}
	if settings.At != call {
		return nil
	}
	if settings.Raise == "warning" {
		return ctx.Warn("content.errors", call+" was asked to warn", "")
	}
	return fail(call, settings)
}

// hold sends progress for so long, or until a stop is wanted.
func hold(ctx *wharf.Context, long time.Duration) error {
	beats := int(long / beat)
	for now := range beats {
		// Several fetches of a job hold at once, and the count of a job must not go down.
		ctx.Progress(wharf.Progress{Phase: "holding", Activity: fmt.Sprintf("%d of %d", now, beats)})
		select {
		case <-ctx.Done():
			return wharf.Cancelled()
		case <-time.After(beat):
		}
	}
	return nil
}

// fail raises what the settings ask for.
func fail(call string, settings settings) error {
	text := call + " was asked to fail"
	switch settings.Raise {
	case "usage":
		return wharf.Usage("usage.errors", text)
	case "field":
		return wharf.Usage("config.errors", text).AtField("/at")
	case "item":
		return wharf.Operation("source.errors", text).ForItem("a.txt")
	case "attachment":
		return wharf.Operation("source.errors", text).InScope(wharf.ScopeAttachment)
	case "run":
		return wharf.Operation("source.errors", text)
	case "retry":
		return wharf.Operation("source.errors", text).RetryAfter(time.Second)
	case "cancelled":
		return wharf.Cancelled()
	case "fault":
		panic(text)
	case "exit":
		os.Exit(3)
	}
	return nil
}

// checking raises in Check.
type checking struct{}

// Check raises if it is asked to.
func (checking) Check(_ context.Context, check *wharf.Check) (*wharf.Checked, error) {
	var settings settings
	if err := check.Values(&settings); err != nil {
		return nil, err
	}
	if settings.At != "check" {
		return wharf.Good(), nil
	}
	if settings.Raise == "warning" {
		return wharf.Good().Warning("/at", "content.errors", "check was asked to warn"), nil
	}
	return wharf.Good(), fail("check", settings)
}
