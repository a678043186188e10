// JSON straight from the author's own types and into them, never through a tree.

package wharf

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// toObject writes a JSON object, and refuses everything that is JSON but no object.
func toObject(what string, value any) (string, error) {
	written, err := toJSON(what, value)
	if err == nil && !strings.HasPrefix(written, "{") {
		return "", Fault("internal.json", fmt.Sprintf("%s must be a JSON object, not %s", what, written))
	}
	return written, err
}

func toJSON(what string, value any) (string, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return "", Fault("internal.json", what+" cannot be written as JSON").CausedBy(err)
	}
	buffer.Truncate(buffer.Len() - 1)
	return buffer.String(), nil
}

// fromObject reads a JSON object; an empty text is an empty object.
func fromObject(what, written string, into any) error {
	if written == "" {
		written = "{}"
	}
	if err := json.Unmarshal([]byte(written), into); err != nil {
		return Usage("config", what+" cannot be read").CausedBy(err)
	}
	return nil
}

// text is a text that a message takes: what is not UTF-8 is replaced.
func text(given string) string {
	return strings.ToValidUTF8(given, "\uFFFD")
}

// checkText refuses what a message does not take where replacing would name something else.
func checkText(what, given string) error {
	if utf8.ValidString(given) {
		return nil
	}
	return Fault("internal.text", fmt.Sprintf("%s is not UTF-8: %q", what, given))
}
