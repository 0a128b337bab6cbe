package egress

// Admit is the check of one address, which a test can't reach by a request.
var Admit = admit
