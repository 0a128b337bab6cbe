package access

import (
	"context"
	"encoding/json"
	"fmt"

	"lockstep/access/keyfile"
	"lockstep/state"
)

// First is what the first start makes: a person and an application who may do
// everything. It is the content of the file that tells them, in a form that
// people and scripts read.
type First struct {
	Tenant       string `json:"tenant"`
	User         string `json:"user"`
	Password     string `json:"password"`
	ClientID     string `json:"clientId"`
	ClientSecret string `json:"clientSecret"`
}

// Bootstrap makes the first person and application if there is no principal
// yet, and writes their secrets to a file that only its owner can read. With an
// empty password it makes one. Made is false on every later start.
//
// The file is written first: a start that ends between the two makes both anew.
func (s *Service) Bootstrap(ctx context.Context, path, user, password string) (made bool, err error) {
	s.changing.Lock()
	defer s.changing.Unlock()
	if len(s.known.Load().byID) > 0 {
		return false, nil
	}
	if password == "" {
		password = s.random()
	} else if err := checkPassword(password); err != nil {
		return false, fmt.Errorf("make the first person: %w", err)
	}
	everything := []Grant{{Role: "Owner", Scope: Everywhere}}
	person, err := s.complete(Principal{Kind: Person, UPN: user, Mail: user, Name: "Administrator", Grants: everything})
	if err != nil {
		return false, fmt.Errorf("make the first person: %w", err)
	}
	application, err := s.complete(Principal{Kind: Application, Name: "First application", Grants: append(everything,
		Grant{"SecurityIncident.ReadWrite.All", XDR}, Grant{"SecurityAlert.ReadWrite.All", XDR}, Grant{"ThreatHunting.Read.All", XDR})})
	if err != nil {
		return false, fmt.Errorf("make the first application: %w", err)
	}
	first := First{Tenant: s.o.Tenant, User: user, Password: password, ClientID: application.ClientID, ClientSecret: s.random()}
	text, err := json.MarshalIndent(first, "", "  ")
	if err != nil {
		return false, fmt.Errorf("write first secrets: %w", err)
	}
	if err := keyfile.Write(path, append(text, '\n')); err != nil {
		return false, fmt.Errorf("write first secrets: %w", err)
	}
	now := s.o.Now()
	keys := []Secret{
		{ID: "password " + person.ID, Principal: person.ID, Label: "password", Hash: s.hash(first.Password), Created: now},
		{ID: s.o.NewID(), Principal: application.ID, Label: "first", Hash: s.hash(first.ClientSecret), Created: now},
	}
	err = s.o.Store.Update(ctx, func(tx state.Tx) error {
		for _, p := range []Principal{person, application} {
			principals.Put(tx, fold(p.ID), p)
			s.append(tx, Record{Deed: Changed, Name: "first start", Action: "put", Target: p.ID, Detail: p.summary()})
		}
		for _, one := range keys {
			secrets.Put(tx, one.ID, one)
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("store the first principals: %w", err)
	}
	return true, s.load(ctx)
}

// ReadFirst reads the file that Bootstrap wrote.
func ReadFirst(path string) (First, error) {
	var first First
	data, err := keyfile.Read(path)
	if err == nil {
		err = json.Unmarshal(data, &first)
	}
	if err != nil {
		return First{}, fmt.Errorf("read first secrets: %w", err)
	}
	return first, nil
}
