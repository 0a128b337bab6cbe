package access_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"lockstep/access"
	"lockstep/schema"
	"lockstep/state"
)

func TestSecrets(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	app, first := w.application("robot")
	second, one, err := w.NewSecret(ctx, w.root, app.ID, "second", 24*time.Hour)
	if err != nil || one.Hash != "" {
		t.Fatalf("new secret: %+v, %v", one, err)
	}
	use := func(secret string) error {
		_, err := w.Exchange(ctx, access.Attempt{Name: app.ClientID, Secret: secret}, "lockstep")
		return err
	}
	if err := errors.Join(use(first), use(second)); err != nil {
		t.Error(err)
	}
	w.now += schema.Day
	if err := use(second); !errors.Is(err, access.ErrWrongSecret) {
		t.Errorf("an expired secret gave %v", err)
	}
	list, err := w.Secrets(ctx, w.root, app.ID)
	if err != nil || len(list) != 2 || list[0].Hash+list[1].Hash != "" {
		t.Errorf("secrets: %+v, %v", list, err)
	}
	for _, one := range list {
		if err := w.RemoveSecret(ctx, w.root, app.ID, one.ID); err != nil {
			t.Fatal(err)
		}
	}
	if err := use(first); !errors.Is(err, access.ErrWrongSecret) {
		t.Errorf("a removed secret gave %v", err)
	}
	// Nothing that is kept tells a secret.
	err = w.store.View(ctx, func(tx state.Tx) error {
		for _, bucket := range []string{"access/principals", "access/secrets", "access/audit"} {
			for _, data := range tx.Scan(bucket, "", "", false) {
				if strings.Contains(string(data), first) || strings.Contains(string(data), second) {
					t.Errorf("%s holds a secret in clear", bucket)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDefaultEffort(t *testing.T) {
	if e := access.DefaultEffort; e.KiB < 19<<10 || e.Passes < 2 {
		t.Errorf("guessing is too cheap: %+v", e)
	}
}
