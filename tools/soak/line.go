package main

import "math"

// A trend is how something went, in its unit an hour: the line through the points with
// the least squares, and two standard errors of its slope.
type trend struct {
	Hourly    float64 `json:"per_hour"`
	Uncertain float64 `json:"uncertain"`
	Mean      float64 `json:"mean"`
}

// trendOf fits a line over at least three points, x in hours.
func trendOf(x, y []float64) trend {
	n := float64(len(x))
	var mx, my float64
	for i := range x {
		mx, my = mx+x[i]/n, my+y[i]/n
	}
	var sxx, sxy float64
	for i := range x {
		sxx, sxy = sxx+(x[i]-mx)*(x[i]-mx), sxy+(x[i]-mx)*(y[i]-my)
	}
	slope := sxy / sxx
	var off float64
	for i := range x {
		d := y[i] - my - slope*(x[i]-mx)
		off += d * d
	}
	return trend{Hourly: slope, Uncertain: 2 * math.Sqrt(off/(n-2)/sxx), Mean: my}
}
