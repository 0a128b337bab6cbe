package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"lockstep/api/control"
)

// newToken is `lockstep token`.
func newToken(s *shell) *cobra.Command {
	var audience, application string
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Make an access token for one of the APIs",
		Long: `Make an access token for one of the APIs and print it.

The token is that of the application made at first start; its client id and secret, with which
any client gets tokens by itself, are in credentials.json in the data folder.`,
		Example: `  lockstep token --audience https://graph.microsoft.com
  curl --cacert <(lockstep ca) -H "Authorization: Bearer $(lockstep token)" https://localhost:8443/v1.0/security/incidents`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.connected(cmd.Context(), func(c *client) error {
				var got struct {
					AccessToken string `json:"accessToken"`
				}
				if err := c.call(cmd.Context(), "POST", "/control/v1/token", control.TokenRequest{Audience: audience, Client: application}, &got); err != nil {
					return err
				}
				_, err := fmt.Fprintln(s.out, got.AccessToken)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&audience, "audience", "", "resource that the token is for (default: all of this server)")
	cmd.Flags().StringVar(&application, "client", "", "client id (default: the application made at first start)")
	return cmd
}

// newCA is `lockstep ca`.
func newCA(s *shell) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "ca",
		Short: "Write out the certificate authority that clients have to trust",
		Long: `Write out the certificate authority that signed the server's certificate.

Clients trust it by SSL_CERT_FILE (Go), NODE_EXTRA_CA_CERTS (Node), REQUESTS_CA_BUNDLE (Python, az).`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.connected(cmd.Context(), func(c *client) error {
				var pem []byte
				if err := c.call(cmd.Context(), "GET", "/control/v1/ca", nil, &pem); err != nil {
					return err
				}
				if path == "" {
					_, err := s.out.Write(pem)
					return err
				}
				return os.WriteFile(path, pem, 0o644)
			})
		},
	}
	cmd.Flags().StringVar(&path, "file", "", "write to this file instead of the standard output")
	return cmd
}

// age prints how long ago something was, for people.
func age(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 2*time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < 3*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	default:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
}
