// Package history packs vitals where they are born and reads them where they
// are shown.
//
// The unit is a [Row]: what one machine measured in at most one clock hour
// (fine) or one day in quarter hours (coarse). The agent fills a [Builder],
// writes its open row to disk once a minute, and sends it now and then; a row
// with a higher revision replaces the one with the same start. The console
// keeps rows as they came and understands them only to draw a chart, with
// [Thin].
//
// # A row on the wire
//
// The payload is one byte of format (1), then a zstd frame. In it, all
// integers are varints, signed ones zigzag:
//
//	number of samples n
//	n times: the first after the start of the row, then differences of
//	         differences, in tenths of a second
//	number of series; each of them is
//	  number of its metric (see Metrics), length and bytes of its instance
//	  1 when every sample is there, else 0 and a bitmap of n bits, low bit first
//	  the values that are there, scaled to integers: the first, then differences
//	  in a coarse row two columns more: mean - min, and max - mean
//
// A value that was not read is a bit of the bitmap, never a number. It comes
// to a little over one byte a sample.
package history
