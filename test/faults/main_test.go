package faults

import (
	"flag"
	"runtime/debug"
	"testing"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
)

var (
	full    = flag.Bool("full", false, "every cell of the matrix, not one of each row")
	rows    = flag.String("rows", "", "regular expression: only cells whose name matches, as `row: fault, operation subject @index`")
	results = flag.String("results", "", "the file that the table of results is written to")
	parts   = flag.String("parts", "", "the folder that what each run says is kept in; the table is put together from all that is there")
	soak    = flag.Duration("soak", 0, "how long TestSoak goes on; 0 skips it")
	summary = flag.String("summary", "", "the file that TestSoak's summary is written to")
	workers = flag.Int("workers", 0, "cells under way at once")
)

func TestMain(m *testing.M) {
	// Providers are made and thrown away by the thousand: collect seldom, but do not
	// fill the machine.
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(1500 << 20)
	acctest.Main(m)
}
