// The error that a plugin's method ends with, and how it travels.
//
// An expected error is the last event of a long call. Its class decides how the host treats it, its code says what
// happened; both are part of the contract.

package wharf

import (
	"context"
	"errors"
	"time"

	"wharf.invalid/wharf/wire"
)

// Class says how an error is treated.
type Class int

// The classes of errors.
const (
	// ClassUsage is what the user can fix: a bad value, a missing right, an unknown name. Never retried.
	ClassUsage Class = iota + 1
	// ClassOperation is a failure of the outside world: unreachable, vanished, wrong checksum.
	ClassOperation
	// ClassCancelled says that a stop was asked for.
	ClassCancelled
	// ClassFault is a bug, on either side.
	ClassFault
)

// Scope says how far an operation error reaches.
type Scope int

// The scopes of errors.
const (
	// ScopeRun means that the run failed.
	ScopeRun Scope = iota
	// ScopeItem means that one item failed; the run goes on.
	ScopeItem
	// ScopeAttachment means that this attachment failed; others may go on.
	ScopeAttachment
)

// Error is an error of a plugin, for people and for the host. Any other error that a method ends with counts as a fault.
// Its methods change it and give it back, so that they can be chained.
type Error struct {
	class      Class
	code       string
	message    string
	scope      Scope
	item       string
	field      string
	retryable  bool
	retryAfter time.Duration
	details    string
	cause      error
	notOffered bool
}

// Usage is an error that the user can fix. Code: stable, dotted, its first word one of the contract's, such as
// "config.url". Message: what happened, where, and what to do next.
func Usage(code, message string) *Error {
	return &Error{class: ClassUsage, code: code, message: message}
}

// Operation is a failure of the outside world, for the whole run; narrow it with [Error.ForItem] or [Error.InScope].
func Operation(code, message string) *Error {
	return &Error{class: ClassOperation, code: code, message: message}
}

// Cancelled says that a stop was asked for. Methods of [Context] end with this once the call is cancelled, so passing
// errors on is all that a plugin needs. It matches [context.Canceled] by errors.Is.
func Cancelled() *Error {
	return &Error{class: ClassCancelled, code: "cancelled", message: "the call was cancelled", cause: context.Canceled}
}

// Fault is a bug.
func Fault(code, message string) *Error {
	return &Error{class: ClassFault, code: code, message: message}
}

// NotOffered says that the operation is not offered: the answer of every method of the role's base.
func NotOffered(operation string) *Error {
	err := Usage("usage.not_offered", "this plugin does not offer "+operation)
	err.notOffered = true
	return err
}

// ForItem names the item that it is about; the scope becomes [ScopeItem].
func (e *Error) ForItem(item string) *Error {
	e.item, e.scope = item, ScopeItem
	return e
}

// InScope says how far it reaches.
func (e *Error) InScope(scope Scope) *Error {
	e.scope = scope
	return e
}

// AtField names the setting at fault, as a JSON pointer: "/url".
func (e *Error) AtField(field string) *Error {
	e.field = field
	return e
}

// Retryable says that trying again may help.
func (e *Error) Retryable() *Error {
	e.retryable = true
	return e
}

// RetryAfter says that trying again may help, but not earlier than this.
func (e *Error) RetryAfter(wait time.Duration) *Error {
	e.retryable, e.retryAfter = true, wait
	return e
}

// CausedBy appends what an underlying error said, which errors.Is and errors.As find from then on.
func (e *Error) CausedBy(cause error) *Error {
	e.message += ": " + cause.Error()
	e.cause = cause
	return e
}

// WithDetails adds further evidence, as the text of a JSON object.
func (e *Error) WithDetails(details string) *Error {
	e.details = details
	return e
}

// Error is the message.
func (e *Error) Error() string { return e.message }

// Unwrap is the underlying error, if there is one.
func (e *Error) Unwrap() error { return e.cause }

// Class says how it is treated.
func (e *Error) Class() Class { return e.class }

// Code is the stable, dotted code.
func (e *Error) Code() string { return e.code }

// Item is the item that it is about, or empty.
func (e *Error) Item() string { return e.item }

// Field is the setting at fault, or empty.
func (e *Error) Field() string { return e.field }

// Scope says how far it reaches.
func (e *Error) Scope() Scope { return e.scope }

// IsRetryable says whether trying again may help.
func (e *Error) IsRetryable() bool { return e.retryable }

// asError is what an error of a method counts as: itself, a cancel that is wanted, or else a fault.
func asError(err error, cancelled bool) *Error {
	var known *Error
	switch {
	case errors.As(err, &known):
		return known
	case cancelled && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)):
		return Cancelled()
	default:
		return Fault("internal.error", err.Error())
	}
}

var classes = map[Class]wire.ErrorClass{
	ClassUsage:     wire.ErrorClass_ERROR_CLASS_USAGE,
	ClassOperation: wire.ErrorClass_ERROR_CLASS_OPERATION,
	ClassCancelled: wire.ErrorClass_ERROR_CLASS_CANCELLED,
	ClassFault:     wire.ErrorClass_ERROR_CLASS_FAULT,
}

var scopes = map[Scope]wire.ErrorScope{
	ScopeRun:        wire.ErrorScope_ERROR_SCOPE_RUN,
	ScopeItem:       wire.ErrorScope_ERROR_SCOPE_ITEM,
	ScopeAttachment: wire.ErrorScope_ERROR_SCOPE_ATTACHMENT,
}

func (e *Error) toWire() *wire.Error {
	return &wire.Error{
		Class: classes[e.class], Code: text(e.code), Message: text(e.message), Scope: scopes[e.scope],
		Item: text(e.item), Field: text(e.field), Retryable: e.retryable,
		RetryAfterMs: uint64(max(e.retryAfter, 0).Milliseconds()), Details: text(e.details),
	}
}

// errorFromWire reads an error of the host. What is not set counts as a fault of the run.
func errorFromWire(sent *wire.Error) *Error {
	read := &Error{
		class: ClassFault, scope: ScopeRun, code: sent.GetCode(), message: sent.GetMessage(), item: sent.GetItem(),
		field: sent.GetField(), retryable: sent.GetRetryable(), details: sent.GetDetails(),
		retryAfter: time.Duration(sent.GetRetryAfterMs()) * time.Millisecond,
	}
	for class, wired := range classes {
		if wired == sent.GetClass() {
			read.class = class
		}
	}
	for scope, wired := range scopes {
		if wired == sent.GetScope() {
			read.scope = scope
		}
	}
	return read
}
