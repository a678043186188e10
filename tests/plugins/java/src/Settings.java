package papers;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.util.Optional;

/** Settings as they come: text that should be a JSON object, whose fields should have the right types. */
final class Settings {
    private Settings() {}

    /** A field that is a text; empty if there is no such thing, whatever there is instead. */
    static Optional<String> text(String settings, String field) {
        return object(settings)
                .map(object -> object.get(field))
                .filter(JsonElement::isJsonPrimitive)
                .filter(value -> value.getAsJsonPrimitive().isString())
                .map(JsonElement::getAsString);
    }

    /** The object, if it is one. */
    static Optional<JsonObject> object(String settings) {
        try {
            JsonElement read = JsonParser.parseString(settings);
            return read.isJsonObject() ? Optional.of(read.getAsJsonObject()) : Optional.empty();
        } catch (JsonParseException malformed) {
            return Optional.empty();
        }
    }
}
