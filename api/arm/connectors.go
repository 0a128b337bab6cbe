package arm

import (
	"net/http"
	"strings"

	"github.com/google/uuid"

	"lockstep/connector"
	"lockstep/fault"
	wire "lockstep/wire/arm"
)

// connectorName is the name of a workspace's one XDR connector when nobody
// gave it another: UUIDv5 of its kind in the workspace.
func connectorName(c *call) string {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte(c.workspace.ID+"/"+wire.DataConnectorKind)).String()
}

// resource lays the connection out as the data connector it is.
func (f *face) resource(c *call, name string, k connector.Connection) wire.DataConnector {
	var p wire.DataConnectorProperties
	p.TenantID = f.TenantID
	p.DataTypes.Incidents = wire.StateOf(k.Settings.Incidents)
	alerts := wire.StateOf(k.Settings.Alerts)
	p.DataTypes.Alerts = &alerts
	out := wire.New(c.scope(), p, "dataConnectors", name)
	out.Kind = wire.DataConnectorKind
	return out
}

// connection gives the workspace's connection; fault.NotFound if there is none.
func (f *face) connection(c *call) (connector.Connection, error) {
	if f.Connector == nil {
		return connector.Connection{}, fault.New(fault.NotFound, "this server has no XDR connector: it runs where both sides can be reached")
	}
	k, err := f.Connector.Connection(c.Context(), c.workspace.ID)
	if err == nil && !k.Connected {
		err = fault.New(fault.NotFound, "workspace %s has no data connector of kind %s", c.workspace.Name, wire.DataConnectorKind)
	}
	return k, err
}

func (f *face) listConnectors(c *call) error {
	out := wire.List[wire.DataConnector]{Value: []wire.DataConnector{}}
	k, err := f.connection(c)
	switch {
	case fault.Is(err, fault.NotFound):
	case err != nil:
		return err
	default:
		out.Value = append(out.Value, f.resource(c, f.nameOf(c, k), k))
	}
	return c.write(http.StatusOK, out)
}

// nameOf is the name under which the connector was made.
func (f *face) nameOf(c *call, k connector.Connection) string {
	if k.Settings.Resource != "" {
		return k.Settings.Resource
	}
	return connectorName(c)
}

func (f *face) getConnector(c *call) error {
	k, err := f.connection(c)
	if err != nil {
		return err
	}
	if name := f.nameOf(c, k); !strings.EqualFold(name, c.params["connector"]) {
		return fault.New(fault.NotFound, "workspace %s has no data connector %s", c.workspace.Name, c.params["connector"])
	}
	return c.write(http.StatusOK, f.resource(c, c.params["connector"], k))
}

func (f *face) putConnector(c *call) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	in, err := wire.DecodeDataConnector(body)
	if err != nil {
		return err
	}
	if !strings.EqualFold(in.Properties.TenantID, f.TenantID) {
		return fault.At("properties.tenantId", "%q isn't this server's tenant, %s", in.Properties.TenantID, f.TenantID)
	}
	if only := in.Properties.Filtered; only != nil && len(only.Alerts) > 0 {
		return fault.At("properties.filteredProviders", "the connector takes the alerts of all products; a choice of %v can't be made", only.Alerts)
	}
	before, err := f.connection(c)
	there := err == nil
	if err != nil && !fault.Is(err, fault.NotFound) || f.Connector == nil {
		return err
	}
	settings := before.Settings
	settings.Incidents = strings.EqualFold(in.Properties.DataTypes.Incidents.State, "Enabled")
	settings.Alerts = settings.Incidents
	if in.Properties.DataTypes.Alerts != nil {
		settings.Alerts = strings.EqualFold(in.Properties.DataTypes.Alerts.State, "Enabled")
	}
	settings.TurnOffCreationRules = true // facts 2.3: recommended, recorded, shown
	settings.Resource = c.params["connector"]
	k, err := f.Connector.Connect(c.Context(), c.workspace.ID, settings, c.actor())
	if err != nil {
		return err
	}
	status := http.StatusCreated
	if there {
		status = http.StatusOK
	}
	return c.write(status, f.resource(c, c.params["connector"], k))
}

func (f *face) deleteConnector(c *call) error {
	k, err := f.connection(c)
	switch {
	case fault.Is(err, fault.NotFound):
		return c.write(http.StatusNoContent, nil)
	case err != nil:
		return err
	case !strings.EqualFold(f.nameOf(c, k), c.params["connector"]):
		return c.write(http.StatusNoContent, nil)
	}
	if _, err := f.Connector.Disconnect(c.Context(), c.workspace.ID, c.actor()); err != nil {
		return err
	}
	return c.write(http.StatusOK, nil)
}
