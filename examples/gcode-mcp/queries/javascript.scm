(field_definition property: [(property_identifier) (private_property_identifier)] @name) @definition.field
(class_heritage (identifier) @reference.inherit)
(formal_parameters (identifier) @local)
