class AddressesController < ActionController::Base
  def show; end
end
