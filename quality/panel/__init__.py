"""Rules of the people's part of an evaluation as pure functions: sampling, label audit, experts, users. No database."""
