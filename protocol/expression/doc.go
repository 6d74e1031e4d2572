// Package expression holds what is known of a machine, and the one small
// language in which it is asked about.
//
// # The machine
//
// A [Machine] is filled by the agent's probes, travels in sections, and is
// shown by the console as it came. Whatever was not read is unknown; unknown
// never reads as 0, "" or false.
//
// # The language
//
// Three things are written in it: the value of a check, a question to many
// machines, and the rule of a group. It is the expression language of
// expr-lang/expr, cut down to what ends quickly on every machine:
//
//	cpu.used                                          a reading
//	memory.available_bytes / 1e9                      arithmetic: + - * / % **
//	os.family == "linux" and hardware.cores >= 8      == != < <= > >= and or not
//	os.id in ["debian", "ubuntu"]                     in
//	os.name contains "LTS"                            contains startsWith endsWith matches
//	version(os.kernel) < "6.1.20"                     versions by their numbers
//	filesystem("/").used                              one row by its key
//	filter(filesystems, .used > 0.9)                  rows; a dot is the row
//	map(filter(processes, .rss_bytes > 1e9), {{name: .name, gb: .rss_bytes / 1e9}})
//	count(processes, .name == "firefox")              any all none one count sum find
//	max(map(filesystems, .used))                      min max mean sum len first last take
//	ago(os.booted_at) > 30 * 86400                    seconds since a time
//	service("cups").state ?? "not here"               what to take for unknown
//	known(swap.used) ? swap.used : 0                  a choice
//
// In the value of a check that runs over a list, "it" is the row and "watched"
// the list of watched services; a threshold is the rest of a comparison, such
// as ">= 0.9" or "!= \"running\"".
//
// # Unknown
//
// What touches an unknown reading is unknown, except that "false and x" is
// false, "true or x" is true, "x ?? y" is y and known(x) is false. A row that
// is not there (service("nope")) is unknown, and so is a division by zero.
//
// A loop follows the same rule: any is true if one row is; count is unknown if
// one row is. filter keeps the rows that are certain and remembers that some
// were not: shown, it is those rows with their number beside it; counted or
// searched through, it is unknown.
//
// # Guards
//
// Expressions come from elsewhere and may be hostile. The source has at most
// [MaxSource] bytes and [MaxNesting] open brackets, found by a scan before the
// parser sees it. There is no let, no environment, no range, no joining of
// text, no loop inside a loop and no pattern made from data; what is not
// allowed by name or by kind does not compile. A program counts its steps and
// stops at [MaxSteps]; the tree is walked by this package, not by a virtual
// machine, so that it can.
package expression
