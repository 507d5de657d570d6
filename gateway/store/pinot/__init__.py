"""The store on Apache Pinot: the only part of the gateway that talks to it."""
