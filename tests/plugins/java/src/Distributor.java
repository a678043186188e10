package papers;

import com.google.protobuf.ByteString;
import io.grpc.stub.StreamObserver;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.concurrent.ExecutorService;
import wharf.v1.DistributorGrpc;
import wharf.v1.DistributorOuterClass.PublishRequest;
import wharf.v1.EventOuterClass.Event;
import wharf.v1.EventOuterClass.PublishedFile;
import wharf.v1.EventOuterClass.PublishedFiles;
import wharf.v1.EventOuterClass.UnitFile;
import wharf.v1.EventOuterClass.Units;
import wharf.v1.HostGrpc;
import wharf.v1.HostOuterClass.QueryUnitsRequest;
import wharf.v1.Model;

/** Section 13: every paper below papers/, and INDEX, a line for each. */
final class Distributor extends DistributorGrpc.DistributorImplBase {
    // Section 17: what is published inline is small; a page of units is as long as the host likes, at most 1,000.
    private static final int INLINE = 64 << 10;

    private final ExecutorService workers;
    private final HostChannels hosts;

    Distributor(ExecutorService workers, HostChannels hosts) {
        this.workers = workers;
        this.hosts = hosts;
    }

    @Override
    public void publish(PublishRequest request, StreamObserver<Event> to) {
        Call.start(workers, to, call -> publish(hosts.of(request.getContext()), call));
    }

    private static String sha256(Model.File file) {
        return file.getDigestsList().stream()
                .filter(digest -> digest.startsWith("sha256:"))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("the host has never had the bytes of " + file.getPath()));
    }

    private static void publish(HostGrpc.HostBlockingStub host, Call call) throws Exception {
        StringBuilder index = new StringBuilder();
        QueryUnitsRequest query = QueryUnitsRequest.newBuilder().addTypes(Importer.TYPE).addOrderBy("path").build();
        for (Iterator<Units> pages = host.queryUnits(query); pages.hasNext(); ) {
            PublishedFiles.Builder files = PublishedFiles.newBuilder();
            for (Model.Unit unit : pages.next().getUnitsList()) {
                Model.File file = unit.getFiles(0);
                index.append(sha256(file)).append("  ").append(file.getPath()).append('\n');
                files.addFiles(PublishedFile.newBuilder()
                        .setPath("papers/" + file.getPath())
                        .setUnit(UnitFile.newBuilder().setUnit(unit.getId()).setPath(file.getPath())));
            }
            call.send(Event.newBuilder().setFiles(files).build());
        }
        ByteString bytes = ByteString.copyFrom(index.toString(), StandardCharsets.UTF_8);
        if (bytes.size() > INLINE) {
            throw new IllegalStateException("an index of " + bytes.size() + " bytes would have to be staged");
        }
        call.send(Event.newBuilder()
                .setFiles(PublishedFiles.newBuilder()
                        .addFiles(PublishedFile.newBuilder()
                                .setPath("INDEX")
                                .setInline(bytes)
                                .setMediaType("text/plain; charset=utf-8")
                                .setEntryPoint(true)))
                .build());
    }
}
