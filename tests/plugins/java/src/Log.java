package papers;

import com.google.gson.JsonObject;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.logging.Level;
import java.util.logging.Logger;

/** Section 5: lines of JSON on standard error. */
final class Log {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'").withZone(ZoneOffset.UTC);

    private Log() {}

    static void info(String message) {
        line("info", message, null);
    }

    static void error(String message, Throwable cause) {
        StringWriter trace = new StringWriter();
        cause.printStackTrace(new PrintWriter(trace));
        line("error", message, trace.toString());
    }

    /** Libraries tell of trouble only. */
    static void quietLibraries() {
        Logger.getLogger("").setLevel(Level.WARNING);
    }

    private static void line(String level, String message, String trace) {
        JsonObject line = new JsonObject();
        line.addProperty("@level", level);
        line.addProperty("@message", message);
        line.addProperty("@timestamp", TIME.format(Instant.now()));
        line.addProperty("@module", "papers");
        if (trace != null) {
            line.addProperty("trace", trace);
        }
        System.err.println(line);
    }
}
