//go:build go1.21

package fishcredit_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/fish-api-credit/fish-api-credit/examples/go/fishcredit"
)

func TestNoLogHasTheKey(t *testing.T) {
	options := fishcredit.Options{APIKey: "sk-secret"}
	var log bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		for _, value := range []any{options, &options, []fishcredit.Options{options}, struct{ O fishcredit.Options }{options}} {
			slog.New(handler).Info("made", "options", value)
		}
	}
	if text := log.String(); strings.Contains(text, "secret") || strings.Count(text, "[redacted]") != 8 {
		t.Error(text)
	}
}
