package trust

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tyler-smith/go-bip39"
)

// rootWords is how many words a root is read aloud with: 77 bits of its digest.
const rootWords = 7

// wordBits is how much a word says: the list has 2048.
const wordBits = 11

// Words are seven words by which people compare a root: read aloud, from a paper, or
// beside another screen.
func Words(digest [32]byte) string {
	list := bip39.GetWordList()
	words := make([]string, rootWords)
	for i := range words {
		n := 0
		for bit := i * wordBits; bit < (i+1)*wordBits; bit++ {
			n = n<<1 | int(digest[bit/8]>>(7-bit%8))&1
		}
		words[i] = list[n]
	}
	return strings.Join(words, " ")
}

// SameWords tells whether what a person typed are the words of a root.
func SameWords(typed string, digest [32]byte) error {
	have := strings.Fields(strings.ToLower(typed))
	if len(have) != rootWords {
		return fmt.Errorf("the words of a root: %d words; it has %d", len(have), rootWords)
	}
	list := bip39.GetWordList()
	for _, w := range have {
		if !slices.Contains(list, w) {
			return fmt.Errorf("the words of a root: %q is none of them; look for a letter that is wrong", short(w))
		}
	}
	if strings.Join(have, " ") != Words(digest) {
		return refuse(CodeOrganisation, "this root has other words: %s", Words(digest))
	}
	return nil
}

// Paper is a key that is kept as 24 words on paper.
type Paper struct{ Words string }

// NewPaper makes one.
func NewPaper() (Paper, error) {
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return Paper{}, fmt.Errorf("make a paper key: %w", err)
	}
	words, err := bip39.NewMnemonic(secret)
	if err != nil {
		return Paper{}, fmt.Errorf("make a paper key: %w", err)
	}
	return Paper{Words: words}, nil
}

// Key is the key that the words are. Words that were not copied well are not taken for
// another key: the last of them has a sum.
func (p Paper) Key() (ed25519.PrivateKey, error) {
	words := strings.Fields(strings.ToLower(p.Words))
	if len(words) != 24 {
		return nil, fmt.Errorf("a paper key has 24 words, not %d", len(words))
	}
	list := bip39.GetWordList()
	for i, w := range words {
		if !slices.Contains(list, w) {
			return nil, fmt.Errorf("word %d of the paper key, %q, is none that such keys have", i+1, short(w))
		}
	}
	secret, err := bip39.EntropyFromMnemonic(strings.Join(words, " "))
	if err != nil {
		return nil, errors.New("these are not the words of a paper key: two are in the wrong place, or one is another")
	}
	seed, err := hkdf.Key(sha256.New, secret, nil, "deskside/1/paper", ed25519.SeedSize)
	if err != nil {
		return nil, fmt.Errorf("read a paper key: %w", err)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}
