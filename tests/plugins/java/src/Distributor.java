package papers;

import com.google.protobuf.ByteString;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
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
        Call.start(workers, to, request.getAttachment(), "distributor", call -> {
            Path folder = Path.of(request.getContext().getWorkDir());
            publish(hosts.of(request.getContext()), folder, call);
        });
    }

    private static String sha256(Model.File file) {
        return file.getDigestsList().stream()
                .filter(digest -> digest.startsWith("sha256:"))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("the host has never had the bytes of " + file.getPath()));
    }

    private static void publish(HostGrpc.HostBlockingStub host, Path folder, Call call) throws Exception {
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
        call.send(Event.newBuilder()
                .setFiles(PublishedFiles.newBuilder().addFiles(index(index.toString(), folder)))
                .build());
    }

    /** The index goes along in the message, or is left in the job's folder when it is too large for that. */
    private static PublishedFile index(String text, Path folder) throws IOException {
        PublishedFile.Builder file = PublishedFile.newBuilder()
                .setPath("INDEX")
                .setMediaType("text/plain; charset=utf-8")
                .setEntryPoint(true);
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (bytes.length <= INLINE) {
            return file.setInline(ByteString.copyFrom(bytes)).build();
        }
        Files.write(folder.resolve("index"), bytes);
        return file.setStaged("index").build();
    }
}
