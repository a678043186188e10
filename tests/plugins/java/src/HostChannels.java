package papers;

import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NegotiationType;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.handler.ssl.SslProvider;
import java.io.File;
import javax.net.ssl.SSLException;
import wharf.v1.HostGrpc;
import wharf.v1.Model.JobContext;

/** Section 15: service Host, over the one channel that all jobs share. */
final class HostChannels implements AutoCloseable {
    private static final String SCHEME = "unix://";
    private static final Metadata.Key<String> TOKEN =
            Metadata.Key.of("wharf-token", Metadata.ASCII_STRING_MARSHALLER);

    private final Security security;
    private final EventLoopGroup loops;
    private ManagedChannel channel;

    HostChannels(Security security, EventLoopGroup loops) {
        this.security = security;
        this.loops = loops;
    }

    /** The host, with the rights of a job. */
    HostGrpc.HostBlockingStub of(JobContext job) throws SSLException {
        Metadata headers = new Metadata();
        headers.put(TOKEN, job.getToken());
        return HostGrpc.newBlockingStub(channel(job.getHostAddress()))
                .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
    }

    private synchronized ManagedChannel channel(String address) throws SSLException {
        if (channel == null) {
            if (!address.startsWith(SCHEME)) {
                throw new IllegalArgumentException("the host's address is not of the form unix:///path: " + address);
            }
            NettyChannelBuilder builder = NettyChannelBuilder.forAddress(
                            new DomainSocketAddress(new File(address.substring(SCHEME.length()))))
                    .overrideAuthority("localhost")
                    .channelType(EpollDomainSocketChannel.class)
                    .eventLoopGroup(loops);
            if (security.isOn()) {
                builder.sslContext(GrpcSslContexts.configure(security.forClient(), SslProvider.JDK)
                        .protocols("TLSv1.3")
                        .trustManager(security.onlyTheHost())
                        .build());
            } else {
                builder.negotiationType(NegotiationType.PLAINTEXT);
            }
            channel = builder.build();
        }
        return channel;
    }

    @Override
    public synchronized void close() {
        if (channel != null) {
            channel.shutdownNow();
        }
    }
}
