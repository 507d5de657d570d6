"""What Schemathesis sends for the API's own scalars, which its generator cannot know."""

from __future__ import annotations

import schemathesis
from hypothesis import strategies as st
from schemathesis.graphql import nodes

INSTANTS = ["2025-11-01T00:00:00Z", "2025-11-22T09:30:00.5+07:00", "2024-02-29T23:59:59-05:30"]
ZONES = ["UTC", "Asia/Ho_Chi_Minh", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe"]

schemathesis.graphql.scalar("DateTime", st.sampled_from(INSTANTS).map(nodes.String))
schemathesis.graphql.scalar("TimeZone", st.sampled_from(ZONES).map(nodes.String))
