package expression

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// A Reading is one number that may be unknown. The zero Reading is unknown.
// In JSON it is a number or null, in CBOR an integer where it is whole, else
// a float64, else null.
type Reading struct {
	value float64
	known bool
}

// Known returns the reading v. A value that is not a finite number is unknown.
func Known(v float64) Reading {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return Reading{}
	}
	return Reading{v, true}
}

// Ratio returns part/whole, or unknown when either is or whole is not positive.
func Ratio(part, whole Reading) Reading {
	if !part.known || !whole.known || whole.value <= 0 {
		return Reading{}
	}
	return Known(part.value / whole.value)
}

// Get returns the value and whether it is known.
func (r Reading) Get() (v float64, known bool) { return r.value, r.known }

// Or returns the value, or instead when it is unknown. It is for sorting and
// drawing; a judgement asks Get.
func (r Reading) Or(instead float64) float64 {
	if r.known {
		return r.value
	}
	return instead
}

// IsZero reports whether r is unknown, so that omitzero leaves it out.
func (r Reading) IsZero() bool { return !r.known }

// String returns the number, or "unknown".
func (r Reading) String() string {
	if !r.known {
		return "unknown"
	}
	return strconv.FormatFloat(r.value, 'g', -1, 64)
}

// whole reports whether v is an integer that float64 holds exactly.
func whole(v float64) bool { return v == math.Trunc(v) && math.Abs(v) <= 1<<53 }

// MarshalJSON implements json.Marshaler.
func (r Reading) MarshalJSON() ([]byte, error) {
	if !r.known {
		return []byte("null"), nil
	}
	if whole(r.value) {
		return strconv.AppendInt(nil, int64(r.value), 10), nil
	}
	return json.Marshal(r.value)
}

// UnmarshalJSON implements json.Unmarshaler.
func (r *Reading) UnmarshalJSON(b []byte) error {
	if bytes.Equal(b, []byte("null")) {
		*r = Reading{}
		return nil
	}
	var v float64
	if err := json.Unmarshal(b, &v); err != nil {
		return fmt.Errorf("reading %.20q is neither a number nor null", b)
	}
	*r = Known(v)
	return nil
}

// MarshalCBOR implements cbor.Marshaler.
func (r Reading) MarshalCBOR() ([]byte, error) {
	switch {
	case !r.known:
		return []byte{0xf6}, nil
	case whole(r.value):
		return cbor.Marshal(int64(r.value))
	}
	return cbor.Marshal(r.value)
}

// UnmarshalCBOR implements cbor.Unmarshaler. NaN and infinities read as
// unknown; anything that is not a number or null is an error.
func (r *Reading) UnmarshalCBOR(b []byte) error {
	*r = Reading{}
	if len(b) == 0 {
		return errors.New("reading is empty")
	}
	switch b[0] >> 5 {
	case 0: // unsigned
		var v uint64
		if err := cbor.Unmarshal(b, &v); err != nil {
			return err
		}
		*r = Known(float64(v))
	case 1: // negative
		var v int64
		if err := cbor.Unmarshal(b, &v); err != nil {
			return err
		}
		*r = Known(float64(v))
	case 7:
		if b[0] == 0xf6 || b[0] == 0xf7 {
			return nil
		}
		var v float64
		if err := cbor.Unmarshal(b, &v); err != nil {
			return err
		}
		*r = Known(v)
	default:
		return errors.New("reading is neither a number nor null")
	}
	return nil
}

// A Text is a piece of text that may be unknown: the empty Text is. In JSON an
// unknown one is null.
type Text string

// MarshalJSON implements json.Marshaler.
func (t Text) MarshalJSON() ([]byte, error) {
	if t == "" {
		return []byte("null"), nil
	}
	return json.Marshal(string(t))
}

// A Flag is a truth that may be unknown.
type Flag uint8

// The three states of a Flag.
const (
	FlagUnknown Flag = iota
	No
	Yes
)

// FlagOf returns Yes or No.
func FlagOf(b bool) Flag {
	if b {
		return Yes
	}
	return No
}

// Get returns the truth and whether it is known.
func (f Flag) Get() (truth, known bool) { return f == Yes, f == Yes || f == No }

// MarshalJSON implements json.Marshaler: true, false or null.
func (f Flag) MarshalJSON() ([]byte, error) {
	switch f {
	case Yes:
		return []byte("true"), nil
	case No:
		return []byte("false"), nil
	}
	return []byte("null"), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (f *Flag) UnmarshalJSON(b []byte) error {
	switch string(b) {
	case "true":
		*f = Yes
	case "false":
		*f = No
	case "null":
		*f = FlagUnknown
	default:
		return fmt.Errorf("%.20q is neither true, false nor null", b)
	}
	return nil
}

// A Time is an instant in UTC microseconds since 1970; 0 is unknown. In JSON
// it is RFC 3339 or null.
type Time int64

// TimeOf returns t as a Time; the zero time.Time is unknown.
func TimeOf(t time.Time) Time {
	if t.IsZero() {
		return 0
	}
	return Time(t.UnixMicro())
}

// Time returns the instant, or the zero time.Time when it is unknown.
func (t Time) Time() time.Time {
	if t == 0 {
		return time.Time{}
	}
	return time.UnixMicro(int64(t)).UTC()
}

// MarshalJSON implements json.Marshaler. An instant outside the years 1 to
// 9999, which RFC 3339 cannot say, is null.
func (t Time) MarshalJSON() ([]byte, error) {
	at := t.Time()
	if t == 0 || at.Year() < 1 || at.Year() > 9999 {
		return []byte("null"), nil
	}
	return []byte(`"` + at.Format(time.RFC3339Nano) + `"`), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *Time) UnmarshalJSON(b []byte) error {
	if bytes.Equal(b, []byte("null")) {
		*t = 0
		return nil
	}
	var at time.Time
	if err := json.Unmarshal(b, &at); err != nil {
		return fmt.Errorf("time %.40q is not RFC 3339", b)
	}
	*t = TimeOf(at)
	return nil
}
