package papers;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import wharf.v1.PluginGrpc;
import wharf.v1.PluginOuterClass.CheckRequest;
import wharf.v1.PluginOuterClass.CheckResponse;
import wharf.v1.PluginOuterClass.Component;
import wharf.v1.PluginOuterClass.DescribeRequest;
import wharf.v1.PluginOuterClass.DescribeResponse;
import wharf.v1.Model.FieldProblem;

/** Section 8: service Plugin. What it says of itself is what the manifest says. */
final class About extends PluginGrpc.PluginImplBase {
    @Override
    public void describe(DescribeRequest request, StreamObserver<DescribeResponse> to) {
        try {
            JsonObject manifest = JsonParser.parseString(Main.resource("/plugin.json")).getAsJsonObject();
            DescribeResponse.Builder answer = DescribeResponse.newBuilder()
                    .setName(manifest.get("name").getAsString())
                    .setVersion(manifest.get("version").getAsString())
                    .addTypes(Importer.TYPE);
            for (JsonElement component : manifest.getAsJsonArray("components")) {
                answer.addComponents(component(component.getAsJsonObject()));
            }
            to.onNext(answer.build());
            to.onCompleted();
        } catch (IOException unreadable) {
            to.onError(Status.INTERNAL.withCause(unreadable).asRuntimeException());
        }
    }

    private static Component component(JsonObject written) {
        Component.Builder component = Component.newBuilder()
                .setId(written.get("id").getAsString())
                .setRole(written.get("role").getAsString())
                .setProfile(written.get("profile").getAsString());
        for (JsonElement operation : list(written, "operations")) {
            component.addOperations(operation.getAsString());
        }
        for (JsonElement type : list(written, "content_types")) {
            component.addTypes(type.getAsString());
        }
        return component.build();
    }

    private static JsonArray list(JsonObject of, String name) {
        return of.has(name) ? of.getAsJsonArray(name) : new JsonArray();
    }

    @Override
    public void check(CheckRequest request, StreamObserver<CheckResponse> to) {
        CheckResponse.Builder answer = CheckResponse.newBuilder();
        String component = request.getComponent();
        if (!component.equals("importer") && !component.equals("distributor")) {
            to.onError(Status.NOT_FOUND.withDescription("there is no such component: " + component).asRuntimeException());
            return;
        }
        if (Settings.object(request.getValues()).isEmpty()) {
            answer.addErrors(problem("", "the settings are no JSON object"));
        } else if (component.equals("importer")
                && Settings.text(request.getValues(), "folder").filter(folder -> folder.startsWith("/")).isEmpty()) {
            answer.addErrors(problem("/folder", "name the folder by its absolute path"));
        }
        to.onNext(answer.build());
        to.onCompleted();
    }

    private static FieldProblem problem(String field, String message) {
        return FieldProblem.newBuilder().setField(field).setCode("config.folder").setMessage(message).build();
    }
}
