package expression

import (
	"crypto/sha256"
	"fmt"
	"math"
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"
)

// The sections in which a Machine travels. Each is sent whole, with its hash.
const (
	SectionOS          = "os"
	SectionHardware    = "hardware"
	SectionFilesystems = "filesystems"
	SectionNetwork     = "network"
	SectionPeople      = "people"
	SectionServices    = "services"
	SectionProcesses   = "processes"
	SectionVitals      = "vitals"
	SectionUnreadable  = "unreadable"
)

// Sections returns the names of all sections, facts first.
func Sections() []string {
	return []string{
		SectionOS, SectionHardware, SectionFilesystems, SectionNetwork, SectionPeople,
		SectionServices, SectionUnreadable, SectionProcesses, SectionVitals,
	}
}

// Live reports whether a section is different at every look (processes,
// vitals), so that sending it whenever it changes would mean always.
func Live(section string) bool {
	return section == SectionProcesses || section == SectionVitals
}

// Bounds of a section that comes from elsewhere.
const (
	MaxSectionBytes = 4 << 20 // encoded
	MaxRows         = 20000   // of one list
	MaxTextBytes    = 4 << 10 // of one text; longer ones are cut
)

// vitals is the section of that name.
type vitals struct {
	CPU           CPU         `cbor:"1,keyasint,omitzero"`
	Memory        Memory      `cbor:"2,keyasint,omitzero"`
	Swap          Memory      `cbor:"3,keyasint,omitzero"`
	Disks         []Disk      `cbor:"4,keyasint,omitzero"`
	NetworkIO     []NetworkIO `cbor:"5,keyasint,omitzero"`
	ProcessCount  Reading     `cbor:"6,keyasint,omitzero"`
	UptimeSeconds Reading     `cbor:"7,keyasint,omitzero"`
}

// Hash is what tells one state of a section from another.
type Hash [sha256.Size]byte

// Section returns a section of m as deterministic CBOR, and its hash. ok is
// false when the section was not read (it is nil) or has no such name.
//
// The hash says whether the section changed in a way worth sending: in
// "filesystems" it counts used space by whole percents, and so it is not
// always the hash of the body.
func (m *Machine) Section(name string) (body []byte, hash Hash, ok bool) {
	v, ok := m.section(name)
	if !ok {
		return nil, Hash{}, false
	}
	body = encode(v)
	if name == SectionFilesystems {
		return body, sha256.Sum256(encode(roughly(m.Filesystems))), true
	}
	return body, sha256.Sum256(body), true
}

// SetSection fills a section of m from CBOR that came from elsewhere. Texts
// are made valid UTF-8 without control characters and cut at MaxTextBytes. An
// error leaves m as it was and names the section.
func (m *Machine) SetSection(name string, body []byte) error {
	if len(body) > MaxSectionBytes {
		return fmt.Errorf("section %q has %d bytes, at most %d are allowed", name, len(body), MaxSectionBytes)
	}
	var next Machine
	var v vitals
	target := map[string]any{
		SectionOS: &next.OS, SectionHardware: &next.Hardware, SectionFilesystems: &next.Filesystems,
		SectionNetwork: &next.Network, SectionPeople: &next.People, SectionServices: &next.Services,
		SectionProcesses: &next.Processes, SectionVitals: &v, SectionUnreadable: &next.Unreadable,
	}[name]
	if target == nil {
		return fmt.Errorf("there is no section %.40q, only %s", name, strings.Join(Sections(), ", "))
	}
	mode, err := cbor.DecOptions{
		DupMapKey:        cbor.DupMapKeyEnforcedAPF,
		IndefLength:      cbor.IndefLengthForbidden,
		TagsMd:           cbor.TagsForbidden,
		UTF8:             cbor.UTF8DecodeInvalid,
		MaxNestedLevels:  8,
		MaxArrayElements: MaxRows,
		MaxMapPairs:      64,
	}.DecMode()
	if err != nil {
		return err
	}
	if err := mode.Unmarshal(body, target); err != nil {
		return fmt.Errorf("section %q: %w", name, err)
	}
	clean(reflect.ValueOf(target))
	switch name {
	case SectionOS:
		m.OS = next.OS
	case SectionHardware:
		m.Hardware = next.Hardware
	case SectionFilesystems:
		m.Filesystems = next.Filesystems
	case SectionNetwork:
		m.Network = next.Network
	case SectionPeople:
		m.People = next.People
	case SectionServices:
		m.Services = next.Services
	case SectionProcesses:
		m.Processes = next.Processes
	case SectionUnreadable:
		m.Unreadable = next.Unreadable
	case SectionVitals:
		m.CPU, m.Memory, m.Swap = v.CPU, v.Memory, v.Swap
		m.Disks, m.NetworkIO = v.Disks, v.NetworkIO
		m.ProcessCount, m.UptimeSeconds = v.ProcessCount, v.UptimeSeconds
	}
	return nil
}

func (m *Machine) section(name string) (v any, ok bool) {
	switch name {
	case SectionOS:
		return m.OS, m.OS != nil
	case SectionHardware:
		return m.Hardware, m.Hardware != nil
	case SectionFilesystems:
		return m.Filesystems, m.Filesystems != nil
	case SectionNetwork:
		return m.Network, m.Network != nil
	case SectionPeople:
		return m.People, m.People != nil
	case SectionServices:
		return m.Services, m.Services != nil
	case SectionProcesses:
		return m.Processes, m.Processes != nil
	case SectionUnreadable:
		return m.Unreadable, m.Unreadable != nil
	case SectionVitals:
		return vitals{m.CPU, m.Memory, m.Swap, m.Disks, m.NetworkIO, m.ProcessCount, m.UptimeSeconds}, true
	}
	return nil, false
}

func encode(v any) []byte {
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		panic(err) // constant options
	}
	b, err := mode.Marshal(v)
	if err != nil {
		panic(err) // plain structs of numbers and texts
	}
	return b
}

// roughly returns the filesystems with space counted by whole percents.
func roughly(list []Filesystem) []Filesystem {
	percent := func(r Reading) Reading {
		v, known := r.Get()
		if !known {
			return r
		}
		return Known(math.Round(v * 100))
	}
	out := make([]Filesystem, len(list))
	for i, f := range list {
		f.Used, f.InodesUsedRatio = percent(f.Used), percent(f.InodesUsedRatio)
		f.UsedBytes, f.AvailableBytes, f.InodesUsed = Reading{}, Reading{}, Reading{}
		if f.Type == "btrfs" || f.Type == "zfs" { // they make inodes as they go
			f.Inodes = Reading{}
		}
		out[i] = f
	}
	return out
}

// clean makes every text below v fit to be stored and shown.
func clean(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			clean(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			clean(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				clean(v.Field(i))
			}
		}
	case reflect.String:
		v.SetString(CleanText(v.String()))
	}
}

// CleanText returns s as valid UTF-8 of at most MaxTextBytes without control
// characters and without characters that turn the direction of writing, which
// make a text read as another. A program may name itself anything; this is
// what is kept of it.
func CleanText(s string) string {
	plain := len(s) <= MaxTextBytes
	for i := 0; plain && i < len(s); i++ {
		plain = s[i] >= ' ' && s[i] < 0x7f
	}
	if plain {
		return s
	}
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || unicode.Is(unicode.Noncharacter_Code_Point, r) {
			return -1
		}
		return r
	}, s)
	if len(s) > MaxTextBytes {
		s = strings.ToValidUTF8(s[:MaxTextBytes], "")
	}
	return s
}
