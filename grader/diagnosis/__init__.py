"""Why a network does not learn: facts measured on what it is fed, and findings in words."""
