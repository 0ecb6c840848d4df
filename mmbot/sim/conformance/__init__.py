"""`mmbot exchange --self-test`: the contract's examples against what the box says and reads."""
