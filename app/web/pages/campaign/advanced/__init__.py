"""The finer settings of a campaign: folded away in the wizard and in its Settings tab, shown in words everywhere."""
