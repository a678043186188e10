package papers;

import com.google.gson.JsonObject;
import com.google.protobuf.ByteString;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.stream.Stream;
import wharf.v1.EventOuterClass.Content;
import wharf.v1.EventOuterClass.Event;
import wharf.v1.EventOuterClass.ListedItem;
import wharf.v1.EventOuterClass.ListedItems;
import wharf.v1.ImporterGrpc;
import wharf.v1.ImporterOuterClass.FetchRequest;
import wharf.v1.ImporterOuterClass.ListRequest;
import wharf.v1.Model;

/** Section 12, list and fetch: the files of a folder, each a unit. */
final class Importer extends ImporterGrpc.ImporterImplBase {
    static final String TYPE = "paper";
    // Section 17 allows 1,000 entries and 1 MiB; paths have at most 4,096 bytes.
    private static final int ITEMS = 100;
    private static final int CHUNK = 256 << 10;

    private final ExecutorService workers;

    Importer(ExecutorService workers) {
        this.workers = workers;
    }

    @Override
    public void list(ListRequest request, StreamObserver<Event> to) {
        Call.start(workers, to, request.getAttachment(), "importer", call -> list(folder(request.getAttachment()), call));
    }

    @Override
    public void fetch(FetchRequest request, StreamObserver<Event> to) {
        Call.start(workers, to, request.getAttachment(), "importer", call -> fetch(request, call));
    }

    private static Path folder(Model.Attachment attachment) throws Call.Failure {
        Optional<String> folder = Settings.text(attachment.getSettings(), "folder");
        return Path.of(folder.orElseThrow(() -> new Call.Failure(
                Call.error(Model.ErrorClass.ERROR_CLASS_USAGE, "config.folder", "name a folder").toBuilder()
                        .setField("/folder")
                        .build())));
    }

    private static void list(Path folder, Call call) throws Exception {
        List<Path> files;
        try (Stream<Path> walk = Files.walk(folder)) {
            files = walk.filter(file -> Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)).sorted().toList();
        } catch (NoSuchFileException | NotDirectoryException missing) {
            throw new Call.Failure(
                    Call.error(Model.ErrorClass.ERROR_CLASS_USAGE, "config.folder", "there is no folder " + folder)
                            .toBuilder()
                            .setField("/folder")
                            .build());
        }
        List<ListedItem> items = new ArrayList<>();
        for (Path file : files) {
            items.add(item(folder, file));
            if (items.size() == ITEMS) {
                send(items, call);
            }
        }
        send(items, call);
    }

    private static void send(List<ListedItem> items, Call call) throws Exception {
        if (!items.isEmpty()) {
            call.send(Event.newBuilder().setListed(ListedItems.newBuilder().addAllItems(items)).build());
            items.clear();
        }
    }

    private static ListedItem item(Path folder, Path file) throws IOException {
        String path = folder.relativize(file).toString();
        long size = Files.size(file);
        long modified = Files.getLastModifiedTime(file).toMillis();
        JsonObject key = new JsonObject();
        key.addProperty("path", path);
        return ListedItem.newBuilder()
                .setUnit(Model.Unit.newBuilder()
                        .setType(TYPE)
                        .setKey(key.toString())
                        .addFiles(Model.File.newBuilder().setPath(path).setSize(size)))
                .setRevision(size + " " + Files.getLastModifiedTime(file))
                .setModifiedMs(modified)
                .build();
    }

    private static void fetch(FetchRequest request, Call call) throws Exception {
        String path = request.getUnit().getFiles(0).getPath();
        Path folder = folder(request.getAttachment());
        Path file = folder.resolve(path).normalize();
        if (!file.startsWith(folder.normalize())) {
            throw new IllegalArgumentException("not a path of the folder: " + path);
        }
        try (InputStream bytes = Files.newInputStream(file)) {
            bytes.skipNBytes(request.getOffset());
            byte[] chunk = new byte[CHUNK];
            for (int read = bytes.readNBytes(chunk, 0, CHUNK); read > 0; read = bytes.readNBytes(chunk, 0, CHUNK)) {
                call.send(Event.newBuilder()
                        .setContent(Content.newBuilder().setChunk(ByteString.copyFrom(chunk, 0, read)))
                        .build());
            }
        } catch (NoSuchFileException gone) {
            throw new Call.Failure(
                    Call.error(Model.ErrorClass.ERROR_CLASS_OPERATION, "source.not_found", path + " went away")
                            .toBuilder()
                            .setScope(Model.ErrorScope.ERROR_SCOPE_ITEM)
                            .setItem(path)
                            .build());
        }
    }
}
