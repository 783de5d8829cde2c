package meshcost

import (
	"fmt"
	"io"
	"math"
)

// Line is one line of a plot: y over numbers of policies.
type Line struct {
	Name   string
	Colour string
	Dashed bool
	Points []Point
}

// Point of a line.
type Point struct {
	Policies int
	Bytes    int
}

// The plot in pixels: the field of the lines, and beside it their names.
const (
	plotWidth, plotHeight          = 860, 420
	left, top, fieldWidth, fieldHi = 70, 40, 470, 320
)

// The axes are logarithmic: what grows linearly is a line of slope 1, and what does
// not grow is level.
const (
	minPolicies, maxPolicies = 10, 1000
	minBytes, maxBytes       = 1e4, 1e8
)

func plotX(policies float64) float64 {
	return left + fieldWidth*math.Log10(policies/minPolicies)/math.Log10(maxPolicies/minPolicies)
}

func plotY(bytes float64) float64 {
	return top + fieldHi*(1-math.Log10(bytes/minBytes)/math.Log10(maxBytes/minBytes))
}

// Plot writes the lines as SVG.
func Plot(out io.Writer, title string, lines []Line) error {
	var err error
	print := func(format string, args ...any) {
		if err == nil {
			_, err = fmt.Fprintf(out, format+"\n", args...)
		}
	}
	print(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`, plotWidth, plotHeight)
	print(`<rect width="100%%" height="100%%" fill="white"/>`)
	print(`<text x="%d" y="22" font-size="14">%s</text>`, left, title)
	for n := float64(minPolicies); n <= maxPolicies; n *= 10 {
		print(`<line x1="%.0f" y1="%d" x2="%.0f" y2="%d" stroke="#ddd"/>`, plotX(n), top, plotX(n), top+fieldHi)
		print(`<text x="%.0f" y="%d" text-anchor="middle">%.0f</text>`, plotX(n), top+fieldHi+18, n)
	}
	for b := float64(minBytes); b <= maxBytes; b *= 10 {
		print(`<line x1="%d" y1="%.0f" x2="%d" y2="%.0f" stroke="#ddd"/>`, left, plotY(b), left+fieldWidth, plotY(b))
		print(`<text x="%d" y="%.0f" text-anchor="end">%s</text>`, left-6, plotY(b)+4, Size(int(b)))
	}
	print(`<text x="%d" y="%d" text-anchor="middle">policies</text>`, left+fieldWidth/2, top+fieldHi+38)
	for i, l := range lines {
		dash := ""
		if l.Dashed {
			dash = ` stroke-dasharray="6 4"`
		}
		path := "M"
		for _, p := range l.Points {
			path += fmt.Sprintf(" %.1f %.1f", plotX(float64(p.Policies)), plotY(float64(p.Bytes)))
		}
		print(`<path d="%s" fill="none" stroke="%s" stroke-width="2"%s/>`, path, l.Colour, dash)
		y := top + 10 + 22*i
		print(`<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="%s" stroke-width="2"%s/>`,
			left+fieldWidth+20, y, left+fieldWidth+50, y, l.Colour, dash)
		print(`<text x="%d" y="%d">%s</text>`, left+fieldWidth+58, y+4, l.Name)
	}
	print(`</svg>`)
	return err
}

// Size writes bytes with a unit.
func Size(bytes int) string {
	switch {
	case bytes >= 1e6:
		return fmt.Sprintf("%.3g MB", float64(bytes)/1e6)
	case bytes >= 1e3:
		return fmt.Sprintf("%.3g kB", float64(bytes)/1e3)
	}
	return fmt.Sprintf("%d B", bytes)
}
