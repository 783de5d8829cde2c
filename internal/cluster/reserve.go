package cluster

import (
	"context"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// reservation is an object that Reserve created.
type reservation struct {
	nonce     string
	uid       string
	canonical string
}

// Reserve creates one object as the owner's own and reports whether it is:
// false means that the name is taken by another, of whom nothing was changed.
// Among any number of racing owners exactly one gets true. After an error the
// object may exist all the same where MaybeWritten says so.
func (c *Client) Reserve(ctx context.Context, owner Owner, object manifest.Object) (bool, error) {
	for n := 0; ; n++ {
		if err := pause(ctx, object.ID(), n); err != nil {
			return false, err
		}
		live, created, err := c.applyNew(ctx, owner, object)
		if err == nil && created {
			c.keepReservation(object.ID(), reservation{
				nonce: owner.Nonce, uid: string(live.GetUID()), canonical: manifest.Canonical(object.Body),
			})
			return true, nil
		}
		if err != nil && !isTaken(err) {
			return false, err
		}
		holder, err := c.Get(ctx, object.ID())
		if err != nil {
			return false, err
		}
		switch {
		case holder == nil:
			continue // deleted in between
		case !owner.owns(holder), holder.GetDeletionTimestamp() != nil:
			return false, nil
		}
		c.keepReservation(object.ID(), reservation{nonce: owner.Nonce, uid: string(holder.GetUID())})
		return true, nil
	}
}

func (c *Client) keepReservation(id manifest.ID, r reservation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reserved[id] = r
}

// claimReservation hands a reservation over to Create, once.
func (c *Client) claimReservation(owner Owner, object manifest.Object) (reservation, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	held, ok := c.reserved[object.ID()]
	if !ok || held.nonce != owner.Nonce {
		return reservation{}, false
	}
	delete(c.reserved, object.ID())
	return held, true
}

func (c *Client) isReserved(owner Owner, object manifest.Object) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reserved[object.ID()].nonce == owner.Nonce && owner.Nonce != ""
}
