"""The conformance suites: one module for each exercise, and the house's own parts pass them as well."""
