// Package catalogue holds the built-in checks as data: what is measured, when
// it is a warning, and how it is told, in English and in Polish. The catalogue
// is embedded in both programs.
//
// # A check
//
// A check runs over a list of the machine (each) or once. For every row that
// when admits, value is computed and held against critical and warning; once
// one of them holds for the time for, an alert fires, and it stays until clear
// has held for keep_firing_for. The expressions are those of package
// expression; a threshold is the rest of a comparison, such as ">= 0.9".
//
// # The resolved set
//
// What a machine really judges is a [Set]: the catalogue with the overrides of
// the organisation, of groups and of the machine laid over it, in this order,
// field by field. A set travels whole and is told from others by its hash.
// The words do not travel: both ends have them.
//
// # Words
//
// A message is ICU notation with {name}, {name, plural, ...}, {name, select,
// ...} and # only. Numbers come formatted as the check says (bytes, percent,
// cores, ...) in the reader's language; plural chooses by the number itself.
package catalogue
