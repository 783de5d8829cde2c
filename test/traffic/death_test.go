package traffic_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshegress/terraform-provider-istio/test/traffic/lab"
)

// death ends one of the gateway's two pods without a word while its calls flow. Calls
// that were given to the dead one may be lost until the sidecars know, no other may: the
// log of the caller's sidecar says which was given to whom. It ends the streams.
func (c *cast) death(allowed []*lab.Stream, flow func()) {
	pods := c.gateways(2)
	dead, other := pods[0], pods[1]
	c.gateway = other // whom the insider calls
	c.stealWeb()
	c.Kill(dead)
	c.ExpectOnce(c.granted, lab.HTTPS("httpbin.org"), lab.Through(200, other).OverTLS())
	flow()
	now := int64(0)
	err := c.Kube.CoreV1().Pods(c.egress).Delete(c.t.Context(), dead.Name, metav1.DeleteOptions{GracePeriodSeconds: &now})
	if err != nil && !apierrors.IsNotFound(err) {
		c.t.Fatal(err)
	}
	c.gateways(2)
	flow()
	for _, stream := range allowed {
		lost := stream.EndExplained(func(loss lab.Loss) error { return c.givenTo(dead, loss) })
		c.t.Logf("%d calls were lost with %s", lost, dead)
	}
}

// givenTo waits for the line of a lost call in the log of the caller's sidecar, in which
// the pod has to be the one that the call was given to.
func (c *cast) givenTo(pod lab.Pod, loss lab.Loss) error {
	var lines []string
	c.Eventually("the line of a lost call", func(context.Context) error {
		lines = nil
		for line := range strings.Lines(c.Log(c.granted)) {
			at, ok := began(line)
			during := ok && !at.Before(loss.Began.Truncate(time.Millisecond)) && !at.After(loss.Ended)
			// A connection that is no HTTP has nothing of the call in it but its time.
			if strings.Contains(line, loss.ID) || during && strings.Contains(line, `"- - -"`) {
				lines = append(lines, line)
			}
		}
		if len(lines) == 0 {
			return errors.New("there is none")
		}
		return nil
	})
	for _, line := range lines {
		if strings.Contains(line, `"`+pod.IP+":") {
			return nil
		}
	}
	return fmt.Errorf("it was not given to %s: %q", pod.IP, lines)
}
