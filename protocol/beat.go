package protocol

import (
	"encoding/binary"
	"math"
)

// Beats are nearly all that is said on an idle line, of which a console holds
// thousands: they are read and answered without what it takes to understand any
// message, on a small stack. The bytes are the same.

// BeatOf reads a frame that is a beat as agents write it. Where it is not ok, the
// frame is something else, or a beat that [Decode] has to read.
func BeatOf(frame []byte) (b Beat, ok bool) {
	const text = 14 // where the health begins: after its length
	if len(frame) < text || frame[0] != 0x82 || frame[1] != byte(KindBeat) || frame[2] != 0xa2 || frame[3] != 1 || frame[4] != 0x1b || frame[13] != 2 {
		return Beat{}, false
	}
	at := binary.BigEndian.Uint64(frame[5:])
	health, ok := shortText(frame[text:])
	if !ok || at > math.MaxInt64 || at <= math.MaxUint32 { // shorter ones are written shorter
		return Beat{}, false
	}
	return Beat{At: int64(at), Health: health}, true
}

// shortText is one of the healths, encoded.
func shortText(raw []byte) (string, bool) {
	for _, health := range [...]string{"ok", "warning", "critical", "unknown"} {
		if len(raw) == 1+len(health) && raw[0] == 0x60|byte(len(health)) && string(raw[1:]) == health {
			return health, true
		}
	}
	return "", false
}

// AnswerBeat is the frame of a BeatAnswer. The clock is of today, in microseconds.
func AnswerBeat(clock int64) []byte {
	return binary.BigEndian.AppendUint64([]byte{0x82, 0x18, byte(KindBeatAnswer), 0xa1, 1, 0x1b}, uint64(clock))
}
