(abstract_class_declaration name: (_) @name) @definition.class
(interface_declaration name: (_) @name) @definition.interface
(type_alias_declaration name: (_) @name) @definition.type
(enum_declaration name: (_) @name) @definition.enum
(enum_body [
  (enum_assignment name: (property_identifier) @name)
  (property_identifier) @name
] @definition.constant)
(internal_module name: [(identifier) (nested_identifier)] @name) @definition.module
(function_signature name: (identifier) @name) @definition.function
(method_signature name: (property_identifier) @name) @definition.method
(abstract_method_signature name: (property_identifier) @name) @definition.method
(interface_body (property_signature name: (property_identifier) @name) @definition.field)
(type_alias_declaration value: (object_type (property_signature name: (property_identifier) @name) @definition.field))
(public_field_definition name: [(property_identifier) (private_property_identifier)] @name) @definition.field

(extends_clause value: (identifier) @reference.inherit)
(extends_type_clause (type_identifier) @reference.inherit)
(implements_clause (type_identifier) @reference.inherit)
(type_identifier) @reference.type.member

(required_parameter pattern: (identifier) @local)
(optional_parameter pattern: (identifier) @local)
