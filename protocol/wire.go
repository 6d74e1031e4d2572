package protocol

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"
)

// Message is one frame: its kind and its still encoded body.
type Message struct {
	_    struct{} `cbor:",toarray"`
	Kind Kind
	Body cbor.RawMessage
}

// ErrTooLarge means that a frame or a field is over its limit.
var ErrTooLarge = errors.New("message over its size limit")

// ErrMalformed means that bytes are not a message of this protocol.
var ErrMalformed = errors.New("malformed message")

var encoder, decoder = modes()

func modes() (cbor.EncMode, cbor.DecMode) {
	enc, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		panic(err)
	}
	dec, err := cbor.DecOptions{
		DupMapKey:        cbor.DupMapKeyEnforcedAPF,
		IndefLength:      cbor.IndefLengthForbidden,
		MaxNestedLevels:  MaxNesting,
		MaxArrayElements: MaxItems,
		MaxMapPairs:      MaxItems,
		TagsMd:           cbor.TagsForbidden,
		UTF8:             cbor.UTF8DecodeInvalid, // Clean makes it valid
	}.DecMode()
	if err != nil {
		panic(err)
	}
	return enc, dec
}

// Marshal encodes a body or a part of one, deterministically.
func Marshal(v any) ([]byte, error) { return encoder.Marshal(v) }

// Unmarshal decodes data into v under the limits of the protocol and cleans
// every string in v, see [Clean].
func Unmarshal(data []byte, v any) error {
	if err := decoder.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%w: %v", ErrMalformed, err)
	}
	return cleanAll(reflect.ValueOf(v), 0)
}

// Encode makes a frame.
func Encode(kind Kind, body any) ([]byte, error) {
	raw, err := encoder.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", kind, err)
	}
	frame, err := encoder.Marshal(Message{Kind: kind, Body: raw})
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", kind, err)
	}
	if len(frame) > MaxFrame {
		return nil, fmt.Errorf("encode %s of %d bytes: %w (%d allowed)", kind, len(frame), ErrTooLarge, MaxFrame)
	}
	return frame, nil
}

// Decode takes a frame apart; limit is the largest frame allowed at this point
// of the conversation. The body is still encoded: use [Unmarshal] on it.
func Decode(frame []byte, limit int) (Message, error) {
	if len(frame) > limit {
		return Message{}, fmt.Errorf("frame of %d bytes: %w (%d allowed)", len(frame), ErrTooLarge, limit)
	}
	var m Message
	if err := decoder.Unmarshal(frame, &m); err != nil {
		return Message{}, fmt.Errorf("%w: %v", ErrMalformed, err)
	}
	return m, nil
}

// Clean makes text safe to show and to store: valid UTF-8, without control
// characters but line feed and tab, and without the marks that reorder text.
// What was there is shown as U+FFFD, so that nothing is hidden.
func Clean(s string) string {
	if isClean(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s { // an invalid byte arrives here as U+FFFD
		if unwelcome(r) {
			r = utf8.RuneError
		}
		b.WriteRune(r)
	}
	return b.String()
}

func isClean(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if unwelcome(r) {
			return false
		}
	}
	return true
}

func unwelcome(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case unicode.IsControl(r):
		return true
	case r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069, r == 0x200E, r == 0x200F, r == 0x061C:
		return true // bidirectional marks
	case r == 0xFEFF, r >= 0xE0000 && r <= 0xE007F:
		return true // invisible
	}
	return false
}

// cleanAll walks what was decoded. Text that is raw by intent (terminal output,
// encoded parts) travels as bytes and is not touched.
func cleanAll(v reflect.Value, depth int) error {
	if depth > 2*MaxNesting {
		return fmt.Errorf("%w: nested too deep", ErrMalformed)
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return cleanAll(v.Elem(), depth+1)
	case reflect.String:
		return cleanString(v)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				if err := cleanAll(v.Field(i), depth+1); err != nil {
					return err
				}
			}
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return nil
		}
		for i := range v.Len() {
			if err := cleanAll(v.Index(i), depth+1); err != nil {
				return err
			}
		}
	case reflect.Map:
		return cleanMap(v, depth)
	}
	return nil
}

func cleanString(v reflect.Value) error {
	s := v.String()
	if len(s) > MaxText {
		return fmt.Errorf("string of %d bytes: %w (%d allowed)", len(s), ErrTooLarge, MaxText)
	}
	if !isClean(s) && v.CanSet() {
		v.SetString(Clean(s))
	}
	return nil
}

func cleanMap(v reflect.Value, depth int) error {
	for _, key := range v.MapKeys() {
		value := reflect.New(v.Type().Elem()).Elem()
		value.Set(v.MapIndex(key))
		if err := cleanAll(value, depth+1); err != nil {
			return err
		}
		cleaned := reflect.New(key.Type()).Elem()
		cleaned.Set(key)
		if err := cleanAll(cleaned, depth+1); err != nil {
			return err
		}
		v.SetMapIndex(key, reflect.Value{})
		v.SetMapIndex(cleaned, value)
	}
	return nil
}
