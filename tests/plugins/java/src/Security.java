package papers;

import io.netty.handler.ssl.SslContextBuilder;
import java.io.ByteArrayInputStream;
import java.math.BigInteger;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.Date;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** Section 3: a key and a certificate of our own, and trust in the host's alone. Off when the host wants no TLS. */
final class Security {
    private final PrivateKey key;
    private final X509Certificate own;
    private final X509Certificate host;

    private Security(PrivateKey key, X509Certificate own, X509Certificate host) {
        this.key = key;
        this.own = own;
        this.host = host;
    }

    static Security make(String hostPem) throws Exception {
        if (hostPem == null || hostPem.isEmpty()) {
            return new Security(null, null, null);
        }
        byte[] pem = hostPem.getBytes(StandardCharsets.US_ASCII);
        X509Certificate host = (X509Certificate)
                CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(pem));
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"));
        KeyPair pair = generator.generateKeyPair();
        return new Security(pair.getPrivate(), certificate(pair), host);
    }

    private static X509Certificate certificate(KeyPair pair) throws Exception {
        X500Principal name = new X500Principal("CN=localhost");
        Instant now = Instant.now();
        KeyPurposeId[] usages = {KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth};
        JcaX509v3CertificateBuilder builder = new JcaX509v3CertificateBuilder(
                name,
                new BigInteger(127, new SecureRandom()).add(BigInteger.ONE),
                Date.from(now.minusSeconds(30)),
                Date.from(now.plus(Duration.ofDays(3650))),
                name,
                pair.getPublic());
        builder.addExtension(Extension.subjectAlternativeName, false, new GeneralNames(
                new GeneralName(GeneralName.dNSName, "localhost")));
        builder.addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(usages));
        return new JcaX509CertificateConverter()
                .getCertificate(builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(pair.getPrivate())));
    }

    boolean isOn() {
        return own != null;
    }

    /** Section 2: the sixth field, base64 of the DER without padding. */
    String printed() throws GeneralSecurityException {
        return isOn() ? Base64.getEncoder().withoutPadding().encodeToString(own.getEncoded()) : "";
    }

    SslContextBuilder forServer() {
        return SslContextBuilder.forServer(key, own);
    }

    SslContextBuilder forClient() {
        return SslContextBuilder.forClient().keyManager(key, own);
    }

    /** Takes the one certificate that the host named, byte for byte, and no chain. */
    X509ExtendedTrustManager onlyTheHost() {
        return new Pinned();
    }

    private final class Pinned extends X509ExtendedTrustManager {
        private void check(X509Certificate[] chain) throws CertificateException {
            if (chain.length == 0 || !Arrays.equals(chain[0].getEncoded(), host.getEncoded())) {
                throw new CertificateException("the peer is not the host that started this plugin");
            }
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) throws CertificateException {
            check(chain);
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) throws CertificateException {
            check(chain);
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine)
                throws CertificateException {
            check(chain);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) throws CertificateException {
            check(chain);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) throws CertificateException {
            check(chain);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine)
                throws CertificateException {
            check(chain);
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
