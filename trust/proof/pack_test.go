package proof

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// TestPackedIsBounded: a few bytes may unpack to very many.
func TestPackedIsBounded(t *testing.T) {
	text := []byte(strings.Repeat("a", 1000))
	data, err := packed(text)
	if err != nil || len(data) >= len(text) {
		t.Fatalf("expected less than %d bytes, found %d and %v", len(text), len(data), err)
	}
	if back, err := unpacked(data, 1000); err != nil || !bytes.Equal(back, text) {
		t.Errorf("expected the text again, found %d bytes and %v", len(back), err)
	}
	if _, err := unpacked(data, 999); err == nil || err.Error() != "expected at most 999 bytes, found more" {
		t.Errorf("expected the bound to be told, found %v", err)
	}
}

// TestReceiptIsBounded: one that could not be read again is not written.
func TestReceiptIsBounded(t *testing.T) {
	err := put(nil, "receipt/x", &Receipt{Reason: strings.Repeat("x", maxReceipt)})
	if !errors.Is(err, ErrReceipt) {
		t.Errorf("expected ErrReceipt, found %v", err)
	}
}
