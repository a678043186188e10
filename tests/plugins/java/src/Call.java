package papers;

import io.grpc.Context;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import wharf.v1.EventOuterClass.Event;
import wharf.v1.EventOuterClass.Result;
import wharf.v1.Model;

/**
 * Sections 8 to 10: a long call, which ends with one result or one error. Sending waits while the host is behind: gRPC for
 * Java buffers without end otherwise. That, and hearing of a cancel, needs the work to be on another thread than gRPC's.
 */
final class Call {
    private final ServerCallStreamObserver<Event> to;

    /** What a call does. */
    interface Work {
        void run(Call call) throws Exception;
    }

    /** An expected error. */
    static final class Failure extends Exception {
        private static final long serialVersionUID = 1;
        private final transient Model.Error error;

        Failure(Model.Error error) {
            super(error.getMessage());
            this.error = error;
        }
    }

    /** The host wants no more. */
    static final class Cancelled extends Exception {
        private static final long serialVersionUID = 1;
    }

    private Call(ServerCallStreamObserver<Event> to) {
        this.to = to;
        to.setOnReadyHandler(this::wake);
        to.setOnCancelHandler(this::wake);
    }

    /** Starts the work for a component, on a thread that the call's cancel reaches, and what it asks of the host too. */
    static void start(
            ExecutorService workers, StreamObserver<Event> to, Model.Attachment attachment, String component, Work work) {
        Call call = new Call((ServerCallStreamObserver<Event>) to);
        String asked = attachment.getInstance().getComponent();
        if (!asked.equals(component)) {
            to.onError(Status.NOT_FOUND.withDescription("there is no such component: " + asked).asRuntimeException());
            return;
        }
        try {
            workers.execute(Context.current().wrap(() -> call.perform(work)));
        } catch (RejectedExecutionException stopping) {
            to.onError(Status.UNAVAILABLE.withDescription("the plugin is stopping").asRuntimeException());
        }
    }

    private void perform(Work work) {
        try {
            work.run(this);
            send(Event.newBuilder().setResult(Result.newBuilder().setChanged(true)).build());
            to.onCompleted();
        } catch (Failure failure) {
            end(failure.error);
        } catch (StatusRuntimeException refused) {
            end(refusal(refused.getStatus()));
        } catch (Cancelled | InterruptedException cancelled) {
            end(error(Model.ErrorClass.ERROR_CLASS_CANCELLED, "cancelled", "the call was cancelled"));
        } catch (Exception | LinkageError bug) {
            Log.error("a call failed", bug);
            to.onError(Status.UNKNOWN.withDescription(bug.toString()).asRuntimeException());
        }
    }

    /** An error of the whole run. */
    static Model.Error error(Model.ErrorClass as, String code, String message) {
        return Model.Error.newBuilder().setClass_(as).setCode(code).setMessage(message).build();
    }

    /** What a call to the host ended with, passed on by the table of section 10. */
    private static Model.Error refusal(Status status) {
        String message = "the host refused a call: " + status.getDescription();
        return switch (status.getCode()) {
            case CANCELLED -> error(Model.ErrorClass.ERROR_CLASS_CANCELLED, "cancelled", message);
            case UNAVAILABLE, RESOURCE_EXHAUSTED, ABORTED ->
                error(Model.ErrorClass.ERROR_CLASS_OPERATION, "internal.host", message).toBuilder()
                        .setRetryable(true)
                        .build();
            case INVALID_ARGUMENT, FAILED_PRECONDITION, PERMISSION_DENIED, UNAUTHENTICATED, NOT_FOUND ->
                error(Model.ErrorClass.ERROR_CLASS_USAGE, "policy", message);
            default -> error(Model.ErrorClass.ERROR_CLASS_FAULT, "internal.host", message);
        };
    }

    private void end(Model.Error error) {
        if (!to.isCancelled()) {
            to.onNext(Event.newBuilder().setError(error).build());
            to.onCompleted();
        }
    }

    /** Sends one event, as soon as the host takes it. */
    synchronized void send(Event event) throws Cancelled, InterruptedException {
        while (!to.isReady() && !to.isCancelled()) {
            wait();
        }
        if (to.isCancelled()) {
            throw new Cancelled();
        }
        to.onNext(event);
    }

    private synchronized void wake() {
        notifyAll();
    }
}
