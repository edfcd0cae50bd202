"""The dashboard: reads state, asks a service, draws a chart."""
