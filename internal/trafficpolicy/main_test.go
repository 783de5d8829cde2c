package trafficpolicy_test

import (
	"testing"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
)

func TestMain(m *testing.M) { acctest.Main(m) }
