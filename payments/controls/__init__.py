"""The internal controls: who may do what, what the policy asks for, whose bank details are believed, what needs a person."""
