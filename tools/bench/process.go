package main

import "slices"

// quantile is the value below which a share of a list lies; the list is sorted.
func quantile(list []float64, share float64) float64 {
	slices.Sort(list)
	return list[min(len(list)-1, int(share*float64(len(list))))]
}
