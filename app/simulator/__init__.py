"""The simulator: a carrier that speaks Twilio's API, and the people it calls."""
