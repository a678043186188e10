// Logs for the operator: the language's own log/slog and log, as hclog's lines of JSON on standard error, which the host
// reads. Logs for the user of a job are Context.Log. Secrets belong into neither.

package wharf

import (
	"context"
	"log/slog"
	"os"
	"slices"

	"github.com/hashicorp/go-hclog"
)

type logger = hclog.Logger

const (
	// All that an author writes goes to the host, which chooses.
	ownLines = hclog.Debug
	// Of go-plugin's lines only trouble: the last ones of a plugin that dies should be the author's.
	libraryLines = hclog.Warn
)

// toHost writes to the standard error that the process began with: go-plugin puts another one in its place.
func toHost(from hclog.Level) logger {
	return hclog.New(&hclog.LoggerOptions{Level: from, Output: os.Stderr, JSONFormat: true})
}

// handler hands slog's records to hclog. Groups become the first words of names, divided by dots.
type handler struct {
	to     logger
	prefix string
	fields []any
	from   slog.Level
}

// Enabled is that of slog.Handler.
func (h *handler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.from }

// Handle is that of slog.Handler.
func (h *handler) Handle(_ context.Context, record slog.Record) error {
	fields := slices.Clone(h.fields)
	record.Attrs(func(attr slog.Attr) bool {
		fields = flatten(fields, h.prefix, attr)
		return true
	})
	switch {
	case record.Level >= slog.LevelError:
		h.to.Error(record.Message, fields...)
	case record.Level >= slog.LevelWarn:
		h.to.Warn(record.Message, fields...)
	case record.Level >= slog.LevelInfo:
		h.to.Info(record.Message, fields...)
	default:
		h.to.Debug(record.Message, fields...)
	}
	return nil
}

// WithAttrs is that of slog.Handler.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	fields := slices.Clone(h.fields)
	for _, attr := range attrs {
		fields = flatten(fields, h.prefix, attr)
	}
	return &handler{to: h.to, prefix: h.prefix, fields: fields, from: h.from}
}

// WithGroup is that of slog.Handler.
func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return &handler{to: h.to, prefix: h.prefix + name + ".", fields: h.fields, from: h.from}
}

func flatten(fields []any, prefix string, attr slog.Attr) []any {
	value := attr.Value.Resolve()
	if value.Kind() != slog.KindGroup {
		if attr.Key == "" {
			return fields
		}
		return append(fields, prefix+attr.Key, value.Any())
	}
	if attr.Key != "" {
		prefix += attr.Key + "."
	}
	for _, inner := range value.Group() {
		fields = flatten(fields, prefix, inner)
	}
	return fields
}
