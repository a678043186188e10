// Errors of calls that answer once, and of calls to the host: plain gRPC statuses. Source of both tables: the contract,
// proto/README.md, section 10.

package wharf

import (
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// toStatus is what a call that answers once, not with events, ends with.
func (e *Error) toStatus() error {
	code := codes.Internal
	switch {
	case e.notOffered:
		code = codes.Unimplemented
	case e.class == ClassUsage:
		code = codes.InvalidArgument
	case e.class == ClassOperation:
		code = codes.Unavailable
	case e.class == ClassCancelled:
		code = codes.Canceled
	}
	return status.Error(code, text(e.message))
}

// errorFromStatus is what a call to the host failed with.
func errorFromStatus(call string, failed error) *Error {
	answer := status.Convert(failed)
	message := "the host refused " + call + ": " + answer.Message()
	switch answer.Code() {
	case codes.Canceled:
		return Cancelled()
	case codes.NotFound:
		return Usage("not_found", message)
	case codes.InvalidArgument, codes.FailedPrecondition:
		return Usage("usage", message)
	case codes.PermissionDenied, codes.Unauthenticated:
		return Usage("policy", message)
	case codes.Aborted:
		return Operation("conflict", message).Retryable()
	case codes.Unavailable, codes.ResourceExhausted:
		return Operation("internal.host", message).Retryable()
	case codes.Unimplemented:
		return Fault("internal.host.not_offered", "this host does not offer "+call)
	default:
		return Fault("internal.host", message)
	}
}
