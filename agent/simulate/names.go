package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// workstation is what a machine is called, what runs on it and who uses it.
type workstation struct {
	name, family, person string
}

var (
	cities     = [...]string{"KRK", "WAW", "GDN", "WRO", "POZ", "BER"}
	offices    = [...]string{"ACC", "HR", "SAL", "ENG", "OPS", "LAW"}
	givenNames = [...]string{"Anna", "Piotr", "Katarzyna", "Tomasz", "Magdalena", "Paweł", "Agnieszka", "Michał", "Joanna", "Łukasz", "Ewa", "Jakub", "Lena", "Jonas", "Zofia", "Stanisław"}
	surnames   = [...]string{"Nowak", "Kowalski", "Wiśniewska", "Wójcik", "Kamińska", "Lewandowski", "Zielińska", "Szymański", "Woźniak", "Dąbrowska", "Schmidt", "Weber", "Mazur", "Krawczyk"}
)

var ascii = strings.NewReplacer("ą", "a", "ć", "c", "ę", "e", "ł", "l", "ń", "n", "ó", "o", "ś", "s", "ź", "z", "ż", "z")

// people makes n workstations with different names: two in three are laptops,
// most run Windows. The same seed makes the same.
func people(seed uint64, n int) []workstation {
	r := rand.New(rand.NewPCG(seed, 0))
	taken := map[string]bool{}
	out := make([]workstation, 0, n)
	for len(out) < n {
		name := fmt.Sprintf("LAP-%s-%04d", cities[r.IntN(len(cities))], 1+r.IntN(9999))
		if r.IntN(3) == 0 {
			name = fmt.Sprintf("WKS-%s-%02d", offices[r.IntN(len(offices))], 1+r.IntN(99))
		}
		family := "linux"
		switch dice := r.IntN(20); {
		case dice < 11:
			family = "windows"
		case dice < 14 && strings.HasPrefix(name, "LAP"):
			family = "darwin"
		}
		given, surname := givenNames[r.IntN(len(givenNames))], surnames[r.IntN(len(surnames))]
		if taken[name] {
			continue
		}
		taken[name] = true
		person := ascii.Replace(strings.ToLower(given)) + "." + ascii.Replace(strings.ToLower(surname))
		out = append(out, workstation{name, family, person})
	}
	return out
}
