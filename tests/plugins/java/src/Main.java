package papers;

import grpc.health.v1.HealthGrpc;
import grpc.health.v1.HealthOuterClass.HealthCheckRequest;
import grpc.health.v1.HealthOuterClass.HealthCheckResponse;
import io.grpc.Server;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.epoll.EpollEventLoopGroup;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslProvider;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import plugin.Controller.Empty;
import plugin.GRPCControllerGrpc;
import sun.misc.Signal;
import sun.misc.SignalHandler;

/**
 * A whole wharf plugin, written from proto/README.md alone: the process. Section numbers are those of that text. What it
 * imports and publishes is the business of {@link Importer} and {@link Distributor}.
 */
public final class Main {
    private static final String COOKIE = "0f6b6a1f0a3c5f1d7d5f2e0c9b8a47663e21d4c8b59f70a2e6d31c84f7b9a05e";
    private static final int VERSION = 1;
    private static final long GRACE_MS = 500;

    private final CountDownLatch stop = new CountDownLatch(1);

    private Main() {}

    /** Section 1: cookie, version, certificate, socket, line. */
    public static void main(String[] arguments) {
        if (!COOKIE.equals(System.getenv("WHARF_PLUGIN"))) {
            System.err.println("This is papers, a plugin of wharf; wharf starts it, it is of no use alone.");
            System.exit(1);
        }
        // Nothing but the line may be printed: whatever libraries print goes to standard error.
        PrintStream handshake = System.out;
        System.setOut(System.err);
        Log.quietLibraries();
        try {
            new Main().serve(handshake);
            System.exit(0);
        } catch (Exception | LinkageError failure) {
            Log.error("the plugin cannot be served", failure);
            System.exit(1);
        }
    }

    private void serve(PrintStream handshake) throws Exception {
        Signal.handle(new Signal("INT"), SignalHandler.SIG_IGN);
        Signal.handle(new Signal("TERM"), signal -> stop.countDown());
        Thread watcher = new Thread(this::watchParent, "parent");
        watcher.setDaemon(true);
        watcher.start();

        Security security = Security.make(System.getenv("PLUGIN_CLIENT_CERT"));
        Path socket = folder().resolve("papers.sock");
        EventLoopGroup loops = new EpollEventLoopGroup(2);
        ExecutorService workers = Executors.newCachedThreadPool();
        try (HostChannels hosts = new HostChannels(security, loops)) {
            Server server = server(security, socket, loops, hosts, workers).start();
            handshake.print("1|" + version() + "|unix|" + socket + "|grpc|" + security.printed() + mux() + "\n");
            handshake.flush();
            stop.await();
            server.shutdown();
            workers.shutdownNow();
            if (!server.awaitTermination(GRACE_MS, TimeUnit.MILLISECONDS)) {
                server.shutdownNow();
            }
        } finally {
            loops.shutdownGracefully(0, 100, TimeUnit.MILLISECONDS);
            Files.deleteIfExists(socket);
        }
    }

    private Server server(
            Security security, Path socket, EventLoopGroup loops, HostChannels hosts, ExecutorService workers)
            throws Exception {
        NettyServerBuilder builder = NettyServerBuilder.forAddress(new DomainSocketAddress(socket.toFile()))
                .channelType(EpollServerDomainSocketChannel.class)
                .bossEventLoopGroup(loops)
                .workerEventLoopGroup(loops)
                .addService(new About())
                .addService(new Importer(workers))
                .addService(new Distributor(workers, hosts))
                .addService(new Health())
                .addService(new Controller());
        if (security.isOn()) {
            SslContext tls = GrpcSslContexts.configure(security.forServer(), SslProvider.JDK)
                    .protocols("TLSv1.3")
                    .clientAuth(ClientAuth.REQUIRE)
                    .trustManager(security.onlyTheHost())
                    .build();
            builder.sslContext(tls);
        }
        return builder.build();
    }

    /** Section 1: without a folder of the host's, that for temporary files. */
    private static Path folder() {
        String folder = System.getenv("PLUGIN_UNIX_SOCKET_DIR");
        return Path.of(folder == null || folder.isEmpty() ? System.getProperty("java.io.tmpdir") : folder);
    }

    /** The highest version of ours that the host offers, else our lowest; with one version that is the same. */
    private static int version() {
        String offered = System.getenv().getOrDefault("PLUGIN_PROTOCOL_VERSIONS", "");
        if (Arrays.stream(offered.split(",")).noneMatch(version -> version.trim().equals("" + VERSION))) {
            Log.info("the host does not offer version " + VERSION);
        }
        return VERSION;
    }

    /** Section 2: the seventh field is there only when it is asked for. */
    private static String mux() {
        String asked = System.getenv("PLUGIN_MULTIPLEX_GRPC");
        return asked == null || asked.isEmpty() ? "" : "|false";
    }

    /** Section 6: ends when the parent process is another one. */
    private void watchParent() {
        long parent = parent();
        try {
            while (!stop.await(1, TimeUnit.SECONDS)) {
                if (parent() != parent) {
                    Log.info("the parent process is gone");
                    stop.countDown();
                }
            }
        } catch (InterruptedException interrupted) {
            stop.countDown();
        }
    }

    private static long parent() {
        return ProcessHandle.current().parent().map(ProcessHandle::pid).orElse(0L);
    }

    /** Section 4: answers that the plugin is alive. */
    private static final class Health extends HealthGrpc.HealthImplBase {
        @Override
        public void check(HealthCheckRequest request, StreamObserver<HealthCheckResponse> to) {
            to.onNext(HealthCheckResponse.newBuilder()
                    .setStatus(HealthCheckResponse.ServingStatus.SERVING)
                    .build());
            to.onCompleted();
        }
    }

    /** Section 4: the host's word. */
    private final class Controller extends GRPCControllerGrpc.GRPCControllerImplBase {
        @Override
        public void shutdown(Empty request, StreamObserver<Empty> to) {
            to.onNext(Empty.getDefaultInstance());
            to.onCompleted();
            stop.countDown();
        }
    }

    /** The text of a resource. */
    static String resource(String name) throws java.io.IOException {
        try (var stream = Main.class.getResourceAsStream(name)) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
