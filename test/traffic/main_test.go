package traffic_test

import (
	"testing"

	"github.com/meshegress/terraform-provider-istio/test/traffic/lab"
)

func TestMain(m *testing.M) { lab.Main(m) }
